// Prints on which CPU and with which kernels the suite will run.
#include <cstdio>

#include "tests/support/machine.h"

#include "vit/error.h"

int main() {
    try {
        std::printf("%s\n", vit::test::describe_machine().c_str());
        return 0;
    } catch (const vit::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
