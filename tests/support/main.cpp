// The main program of every test that uses the engine's internals. It limits oneDNN before the
// first primitive is made, as loading a model does.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/support/machine.h"

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    const std::string machine = vit::test::describe_machine();
    if (!testing::GTEST_FLAG(list_tests)) std::printf("%s\n", machine.c_str());
    return RUN_ALL_TESTS();
}
