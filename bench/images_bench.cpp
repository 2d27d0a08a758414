// Measures how long one core needs to prepare an image file for the model, for each stage, at 224 x
// 224, bicubic, crop_pct 0.9: images-bench FILE... [Google Benchmark's flags]. Times are for one
// image, averaged over the files.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <vector>

#include "bench/context.h"
#include "vit/error.h"
#include "vit/image.h"

namespace {

/// Runs work(0), work(1), … in turn, one call per iteration.
void time_each(benchmark::State& state, std::size_t count,
               const std::function<void(std::size_t)>& work) {
    std::size_t i = 0;
    for (auto _ : state) {
        work(i);
        i = i + 1 == count ? 0 : i + 1;
    }
}

int run(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    const std::vector<std::filesystem::path> files(argv + 1, argv + argc);
    if (files.empty()) {
        std::fprintf(stderr, "usage: images-bench FILE... [Google Benchmark's flags]\n");
        return 2;
    }
    vit::Transform transform;
    transform.crop_pct = 0.9;
    std::vector<vit::Image> images;
    for (const auto& file : files) images.push_back(vit::decode_image(file));
    std::vector<float> out(3 * 224 * 224);

    const auto stage = [&](const char* name, const std::function<void(std::size_t)>& work) {
        benchmark::RegisterBenchmark(name, [&files, work](benchmark::State& state) {
            time_each(state, files.size(), work);
        })->Unit(benchmark::kMicrosecond);
    };
    stage("decode", [&](std::size_t i) { (void)vit::decode_image(files[i]); });
    stage("resize_and_crop", [&](std::size_t i) { (void)resize_and_crop(images[i], transform); });
    stage("resize_crop_normalise", [&](std::size_t i) { preprocess(images[i], transform, out); });
    stage("all", [&](std::size_t i) { preprocess(vit::decode_image(files[i]), transform, out); });
    vit::bench::run_benchmarks({{"cpu", vit::bench::cpu_name()}});
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const vit::Error& error) {
        std::fprintf(stderr, "images-bench: error: %s\n", error.what());
        return 1;
    }
}
