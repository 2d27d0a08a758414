// vit-bench: images a second for every thread count, precision and batch, in both ways of splitting
// work, beside what the machine can do.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "bench/random_weights.h"
#include "tools/common/error_line.h"
#include "tools/common/measuring_images.h"
#include "tools/common/peak.h"
#include "vit/model.h"

namespace vit::bench {

namespace {

/// What --precision knows. Its peak may be measured also where the engine cannot use it.
struct PrecisionChoice {
    const char* name;
    tools::Arithmetic arithmetic;
    Precision precision;
};
constexpr PrecisionChoice precisions[]{
    {"f32", tools::Arithmetic::f32, Precision::f32},
    {"bf16", tools::Arithmetic::bf16, Precision::bf16},
};

const PrecisionChoice& find_precision(const std::string& name) {
    return *std::find_if(std::begin(precisions), std::end(precisions),
                         [&](const PrecisionChoice& each) { return each.name == name; });
}

std::vector<std::string> names_of_precisions() {
    std::vector<std::string> names;
    for (const PrecisionChoice& each : precisions) names.emplace_back(each.name);
    return names;
}

/// Latency: fewer images than threads, which share them. Throughput: an image a thread.
enum class Split { latency, throughput };
constexpr const char* split_names[]{"latency", "throughput"};

struct Options {
    std::string model;
    std::string architecture;  // random weights
    std::vector<int> threads;
    std::vector<int> batches{1, 8};
    std::vector<std::string> precisions{"f32"};
    std::vector<std::string> splits{"latency", "throughput"};
    bool peak_only = false;
};

constexpr const char* help = R"(vit-bench (--model MODEL.vit | --random-weights ARCH) [options]
vit-bench --peak [--threads 1,2,4] [--precision f32,bf16]

  --model MODEL.vit        model file to measure
  --random-weights ARCH    made-up weights for a timm architecture instead
  --threads 1,2,4          thread counts (1, 2, 4, ... up to all usable cores)
  --split latency,throughput
                           latency: fewer images than threads in one run, so that threads share them;
                           throughput: every thread has images of its own (both)
  --batch 1,8              images in one run; each split takes those that fit it (latency always 1,
                           throughput as many as threads where none fits)
  --precision f32          f32, bf16; what this build or this CPU cannot do is skipped with a message
  --peak                   no model: what the machine can do at best

Counters: images/s and ms/image of the median run, best_ms/image of the fastest; GFLOP/s of the whole
graph, whatever was skipped; this machine's multiply-add peak in that precision with that many threads,
measured before and after the runs (the higher one), and the share of it.

Exit status: 0 all well, 1 something was skipped, 2 wrong usage, 3 the model was refused, 74 reading
or writing failed.

Google Benchmark's own options, among them --benchmark_format=json and --benchmark_out=FILE:

)";

/// 1, 2, 4, … and all.
std::vector<int> default_threads() {
    std::vector<int> counts;
    for (int count = 1; count < usable_threads(); count *= 2) counts.push_back(count);
    counts.push_back(usable_threads());
    return counts;
}

/// Those of the batches that split a run as asked, and always one.
std::set<int> batches_for(int threads, Split split, const std::vector<int>& wanted) {
    std::set<int> batches;
    for (const int batch : wanted)
        if ((batch == 1 || batch < threads) == (split == Split::latency)) batches.insert(batch);
    if (split == Split::latency)
        batches.insert(1);
    else if (batches.empty() && threads > 1)
        batches.insert(threads);
    return batches;
}

/// One loaded model at a time, for all runs that need it.
class LoadedModel {
  public:
    explicit LoadedModel(std::string path) : path_(std::move(path)) {}

    const Model& get(int threads, Precision precision) {
        if (!model_ || threads != threads_ || precision != precision_) {
            model_.reset();
            LoadOptions load;
            load.threads = threads;
            load.precision = precision;
            model_ = Model::load(path_, load);
            threads_ = threads;
            precision_ = precision;
        }
        return *model_;
    }

  private:
    std::string path_;
    int threads_ = 0;
    Precision precision_ = Precision::f32;
    std::optional<Model> model_;
};

double measure_peak(const PrecisionChoice& choice, int threads) {
    const std::optional<double> peak = tools::measure_peak(choice.arithmetic, threads);
    if (!peak)
        throw Error(ErrorKind::unsupported,
                    fmt::format("{}: this CPU or this build has no instruction for it; leave it "
                                "out of --precision",
                                choice.name));
    return *peak;
}

/// Peaks near the runs: measured anew where the last one is old or another, since Google Benchmark
/// tries each run a few times to learn how long it takes.
class PeakMeter {
  public:
    double get(const PrecisionChoice& choice, int threads) {
        using Clock = std::chrono::steady_clock;
        constexpr std::chrono::milliseconds fresh(300);
        if (choice_ != &choice || threads_ != threads || Clock::now() - when_ > fresh) {
            peak_ = measure_peak(choice, threads);
            choice_ = &choice;
            threads_ = threads;
            when_ = Clock::now();
        }
        return peak_;
    }

  private:
    const PrecisionChoice* choice_ = nullptr;
    int threads_ = 0;
    std::chrono::steady_clock::time_point when_;
    double peak_ = 0;
};

/// What the runs share.
struct Bench {
    LoadedModel model;
    PeakMeter peak;
};

/// Seconds of each of the state's iterations, sorted.
std::vector<double> time_runs(benchmark::State& state, const Model& model, int batch) {
    using Clock = std::chrono::steady_clock;
    const std::vector<float> images = tools::measuring_images(model.info(), batch);
    std::vector<float> logits(static_cast<std::size_t>(batch * model.info().classes));
    const Outputs outputs{logits, {}, {}};
    model.run(images, batch, outputs);  // allocates, touches every page
    std::vector<double> seconds;
    for (auto _ : state) {
        const auto start = Clock::now();
        model.run(images, batch, outputs);
        seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    }
    std::sort(seconds.begin(), seconds.end());
    return seconds;
}

void measure_model(benchmark::State& state, Bench& bench, const PrecisionChoice& choice,
                   int threads, int batch) {
    const Model& model = bench.model.get(threads, choice.precision);
    const double peak_before = bench.peak.get(choice, threads);
    const std::vector<double> seconds = time_runs(state, model, batch);
    const double peak = std::max(peak_before, bench.peak.get(choice, threads));

    const double median = seconds[seconds.size() / 2] / batch;
    const double speed = model.info().gflop_per_image / median;
    state.counters["images/s"] = 1 / median;
    state.counters["ms/image"] = median * 1e3;
    state.counters["best_ms/image"] = seconds.front() * 1e3 / batch;
    state.counters["GFLOP/s"] = speed;
    state.counters["peak_GFLOP/s"] = peak;
    state.counters["peak_share_%"] = 100 * speed / peak;
}

/// Registers `body(state)`; an error that it throws skips the run and is noted in `skipped`.
template <class Body>
benchmark::internal::Benchmark* add_run(const std::string& name, bool& skipped, Body body) {
    return benchmark::RegisterBenchmark(name.c_str(),
                                        [&skipped, body](benchmark::State& state) {
                                            try {
                                                body(state);
                                            } catch (const Error& error) {
                                                skipped = true;
                                                state.SkipWithError(error.what());
                                            }
                                        })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
}

void add_model_runs(const Options& options, Bench& bench, bool& skipped) {
    for (const int threads : options.threads)
        for (const std::string& precision : options.precisions)
            for (const Split split : {Split::latency, Split::throughput}) {
                const char* split_name = split_names[static_cast<std::size_t>(split)];
                if (std::find(options.splits.begin(), options.splits.end(), split_name) ==
                    options.splits.end())
                    continue;
                const PrecisionChoice& choice = find_precision(precision);
                for (const int batch : batches_for(threads, split, options.batches))
                    add_run(fmt::format("{}/threads:{}/{}/batch:{}", precision, threads, split_name,
                                        batch),
                            skipped, [&bench, &choice, threads, batch](benchmark::State& state) {
                                measure_model(state, bench, choice, threads, batch);
                            });
            }
}

void add_peak_runs(const Options& options, bool& skipped) {
    for (const int threads : options.threads)
        for (const std::string& precision : options.precisions) {
            const PrecisionChoice& choice = find_precision(precision);
            add_run(fmt::format("peak/{}/threads:{}", precision, threads), skipped,
                    [&choice, threads](benchmark::State& state) {
                        double peak = 0;
                        for (auto _ : state) peak = std::max(peak, measure_peak(choice, threads));
                        state.counters["peak_GFLOP/s"] = peak;
                    });
        }
}

std::string cpu_name() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("model name") && line.find(": ") != std::string::npos)
            return line.substr(line.find(": ") + 2);
    return "unknown";
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
        ->check(CLI::IsMember(names_of_precisions()));
    app.add_option("--split", options.splits)
        ->delimiter(',')
        ->check(CLI::IsMember({split_names[0], split_names[1]}));
    app.add_flag("--peak", options.peak_only);
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
    const int sources = int{!options.model.empty()} + int{!options.architecture.empty()};
    if (sources != (options.peak_only ? 0 : 1))
        throw Error(ErrorKind::usage,
                    options.peak_only
                        ? "--peak takes neither --model nor --random-weights; see --help"
                        : "name one of --model and --random-weights; see --help");
    if (options.threads.empty()) options.threads = default_threads();
    benchmark::AddCustomContext("cpu", cpu_name());
    benchmark::AddCustomContext("version", version());

    bool skipped = false;
    std::optional<RandomModelFile> made;
    std::optional<Bench> bench;
    if (options.peak_only) {
        add_peak_runs(options, skipped);
    } else {
        if (options.model.empty()) made.emplace(options.architecture);
        bench.emplace(LoadedModel(made ? made->path().string() : options.model), PeakMeter());
        // Errors of the model file come before the runs.
        const ModelInfo& info = bench->model.get(options.threads.front(), Precision::f32).info();
        benchmark::AddCustomContext(
            "model", made ? info.architecture + ", random weights" : info.architecture);
        benchmark::AddCustomContext("gflop_per_image", fmt::format("{:.2f}", info.gflop_per_image));
        benchmark::AddCustomContext("kernels", info.isa);
        add_model_runs(options, *bench, skipped);
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    if (!skipped) return tools::exit_ok;
    std::fprintf(
        stderr, "%s\n",
        tools::error_line("vit-bench", "some runs were skipped; the results say why").c_str());
    return tools::exit_some_inputs_failed;
}

}  // namespace

}  // namespace vit::bench

int main(int argc, char** argv) {
    return vit::tools::run_tool("vit-bench", [&] { return vit::bench::run(argc, argv); });
}
