// consumer MODEL.vit IMAGE: prints the best class's label.
#include <cstdio>

#include "vit/model.h"

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    try {
        const vit::Model model = vit::Model::load(argv[1]);
        std::printf("%s\n", model.classify(vit::decode_image(argv[2]), 1).at(0).label.c_str());
    } catch (const vit::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
