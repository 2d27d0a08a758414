// many_threads MODEL.vit IMAGE CALLERS: many threads of a server share one model. Each call runs on
// one thread, because the callers already run in parallel.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>
#include <vector>

#include "vit/model.h"

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: many_threads MODEL.vit IMAGE CALLERS\n");
        return 2;
    }
    try {
        const vit::Model model = vit::Model::load(argv[1], {.threads = 1});
        const vit::Image image = vit::decode_image(argv[2]);
        const auto expected = model.classify(image, 1).at(0);
        std::atomic<int> same = 0;
        std::vector<std::thread> callers;
        const int count = std::atoi(argv[3]);
        for (int c = 0; c < count; ++c)
            callers.emplace_back([&] {
                const auto best = model.classify(image, 1).at(0);
                same += best.index == expected.index && best.logit == expected.logit;
            });
        for (std::thread& caller : callers) caller.join();
        std::printf("%d callers, %d times %s\n", count, same.load(), expected.label.c_str());
        return same == count ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
