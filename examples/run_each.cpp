// run_each MODEL.vit IMAGE...: the thread that runs an image also decodes it just before. Decoding
// and running then share all cores, and memory use does not grow with the number of images.
#include <cstdio>
#include <exception>
#include <mutex>
#include <span>
#include <vector>

#include "vit/model.h"

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: run_each MODEL.vit IMAGE...\n");
        return 2;
    }
    try {
        const vit::Model model = vit::Model::load(argv[1]);
        const auto classes = static_cast<std::size_t>(model.info().classes);
        const std::span<char*> paths(argv + 2, static_cast<std::size_t>(argc - 2));
        std::vector<float> logits(paths.size() * classes);
        std::mutex printing;
        model.run_each(
            static_cast<std::int64_t>(paths.size()), {logits, {}, {}},
            [&](std::int64_t index, std::span<float> image) {
                const char* const path = paths[static_cast<std::size_t>(index)];
                try {
                    vit::preprocess(vit::decode_image(path), model.info().transform, image);
                    return true;
                } catch (const vit::Error& error) {  // continues without this image
                    const std::lock_guard lock(printing);
                    std::fprintf(stderr, "%s\n", error.what());
                    return false;
                }
            },
            [&](std::int64_t index) {  // called when an image is done, in any order
                const std::size_t i = static_cast<std::size_t>(index);
                const auto best = model.top(std::span(logits).subspan(i * classes, classes), 1);
                const std::lock_guard lock(printing);
                std::printf("%s %s\n", paths[i], best.at(0).label.c_str());
            });
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
