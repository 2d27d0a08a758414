// classify MODEL.vit IMAGE: the most probable classes of one image.
#include <cstdio>
#include <exception>

#include "vit/model.h"

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: classify MODEL.vit IMAGE\n");
        return 2;
    }
    try {
        const vit::Model model = vit::Model::load(argv[1]);
        const vit::Image image = vit::decode_image(argv[2]);
        for (const vit::Prediction& each : model.classify(image, 3))
            std::printf("%5.1f %%  %s\n", 100.0 * static_cast<double>(each.probability),
                        each.label.c_str());
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
