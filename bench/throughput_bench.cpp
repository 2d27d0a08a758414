// vit-bench: images a second for every thread count, in both ways of splitting work.
//
// A batch of fewer images than threads is split by rows of the images (latency), any other by image
// (throughput). GFLOP/s counts the whole graph, whatever was skipped.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "bench/random_weights.h"
#include "tools/common/error_line.h"
#include "tools/common/peak.h"
#include "vit/model.h"

namespace vit::bench {

namespace {

struct Options {
    std::string model;
    std::string architecture;  // random weights
    std::vector<int> threads;
    std::vector<int> batches{1, 8};
    std::vector<std::string> precisions{"f32"};
};

constexpr const char* help = R"(vit-bench (--model MODEL.vit | --random-weights ARCH) [options]

  --model MODEL.vit        model file to measure
  --random-weights ARCH    made-up weights for a timm architecture instead
  --threads 1,2,4          thread counts (1, 2, 4, ... up to all usable cores)
  --batch 1,8              images in one run
  --precision f32          bf16 and int8 are not there yet

A batch with at least as many images as threads is split by image, a smaller one by rows; where the
batches leave one of the two ways out, one that takes it is added.
Counters: images/s; ms/image; GFLOP/s of the whole graph, whatever was skipped; this machine's measured
multiply-add peak with that many threads, and the share of it.

Google Benchmark's own options, among them --benchmark_format=json and --benchmark_out=FILE:

)";

/// 1, 2, 4, … and all.
std::vector<int> default_threads() {
    std::vector<int> counts;
    for (int count = 1; count < usable_threads(); count *= 2) counts.push_back(count);
    counts.push_back(usable_threads());
    return counts;
}

/// Batches for one thread count, so that both ways of splitting work are among them.
std::set<int> batches_for(int threads, const std::vector<int>& wanted) {
    std::set<int> batches(wanted.begin(), wanted.end());
    if (*batches.rbegin() < threads) batches.insert(threads);
    if (threads > 1 && *batches.begin() >= threads) batches.insert(1);
    return batches;
}

/// What the runs share: one loaded model at a time, and each thread count's peak.
struct Bench {
    std::string path;
    int loaded_threads = 0;
    std::optional<Model> model;
    std::map<int, double> peaks;

    const Model& model_for(int threads) {
        if (loaded_threads != threads) {
            model.reset();
            LoadOptions load;
            load.threads = threads;
            model = Model::load(path, load);
            loaded_threads = threads;
        }
        return *model;
    }

    double peak_for(int threads) {
        auto [found, added] = peaks.try_emplace(threads, 0.0);
        if (added) found->second = tools::measure_fma_peak(threads);
        return found->second;
    }
};

std::vector<float> random_images(const ModelInfo& info, int count) {
    std::vector<float> images(
        static_cast<std::size_t>(count * info.channels * info.height * info.width));
    std::mt19937 bits(1);
    for (float& each : images)
        each = static_cast<float>(static_cast<std::int32_t>(bits())) * 0x1p-31f;
    return images;
}

void measure(benchmark::State& state, Bench& bench, int threads, int batch) {
    try {
        const Model& model = bench.model_for(threads);
        const ModelInfo& info = model.info();
        const double peak = bench.peak_for(threads);
        const std::vector<float> images = random_images(info, batch);
        std::vector<float> logits(static_cast<std::size_t>(batch * info.classes));
        const Outputs outputs{logits, {}, {}};
        model.run(images, batch, outputs);  // allocates, touches every page
        const auto start = std::chrono::steady_clock::now();
        for (auto _ : state) model.run(images, batch, outputs);
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;

        const double count = static_cast<double>(state.iterations()) * batch;
        const double speed = count * info.gflop_per_image / seconds.count();
        state.counters["images/s"] = count / seconds.count();
        state.counters["ms/image"] = seconds.count() * 1e3 / count;
        state.counters["GFLOP/s"] = speed;
        state.counters["peak_GFLOP/s"] = peak;
        state.counters["peak_share_%"] = 100 * speed / peak;
    } catch (const Error& error) {
        state.SkipWithError(error.what());
    }
}

void register_runs(const Options& options, Bench& bench) {
    for (const int threads : options.threads) {
        for (const int batch : batches_for(threads, options.batches)) {
            const std::string name = fmt::format("f32/threads:{}/{}/batch:{}", threads,
                                                 batch >= threads ? "by_image" : "by_rows", batch);
            benchmark::RegisterBenchmark(name.c_str(),
                                         [&bench, threads, batch](benchmark::State& state) {
                                             measure(state, bench, threads, batch);
                                         })
                ->UseRealTime()
                ->Unit(benchmark::kMillisecond);
        }
    }
}

int run(int argc, char** argv) {
    Options options;
    CLI::App app;
    app.allow_extras();
    app.set_help_flag();
    bool wants_help = false;
    app.add_flag("-h,--help", wants_help);
    app.add_option("--model", options.model);
    app.add_option("--random-weights", options.architecture);
    app.add_option("--threads", options.threads)->delimiter(',')->check(CLI::Range(1, 4096));
    app.add_option("--batch", options.batches)->delimiter(',')->check(CLI::Range(1, 65536));
    app.add_option("--precision", options.precisions)
        ->delimiter(',')
        ->check(CLI::IsMember({"f32", "bf16", "int8"}));
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        throw Error(ErrorKind::usage, error.what());
    }
    if (wants_help) {
        std::fputs(help, stdout);
        benchmark::PrintDefaultHelp();
        return tools::exit_ok;
    }

    std::vector<std::string> rest = app.remaining();
    rest.insert(rest.begin(), argv[0]);
    std::vector<char*> pointers;
    for (std::string& each : rest) pointers.push_back(each.data());
    int count = static_cast<int>(pointers.size());
    benchmark::Initialize(&count, pointers.data());
    if (count > 1)
        throw Error(ErrorKind::usage, fmt::format("unknown argument {}; see --help", pointers[1]));
    if (options.model.empty() == options.architecture.empty())
        throw Error(ErrorKind::usage, "name one of --model and --random-weights; see --help");
    for (const std::string& precision : options.precisions)
        if (precision != "f32")
            throw Error(ErrorKind::usage,
                        fmt::format("--precision {}: not there yet, only f32 is", precision));
    if (options.threads.empty()) options.threads = default_threads();

    std::optional<RandomModelFile> made;
    if (options.model.empty()) made.emplace(options.architecture);
    Bench bench;
    bench.path = made ? made->path().string() : options.model;
    const ModelInfo& info = bench.model_for(options.threads.front()).info();  // errors before runs
    benchmark::AddCustomContext("model",
                                made ? info.architecture + ", random weights" : info.architecture);
    benchmark::AddCustomContext("gflop_per_image", fmt::format("{:.2f}", info.gflop_per_image));
    benchmark::AddCustomContext("kernels", info.isa);
    benchmark::AddCustomContext("version", version());
    register_runs(options, bench);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return tools::exit_ok;
}

}  // namespace

}  // namespace vit::bench

int main(int argc, char** argv) {
    return vit::tools::run_tool("vit-bench", [&] { return vit::bench::run(argc, argv); });
}
