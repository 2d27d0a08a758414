// vit-bench: measures images a second for every thread count, precision and batch, for both ways to
// split the work. Shows the machine's peak speed beside them.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "bench/context.h"
#include "bench/random_weights.h"
#include "bench/text.h"
#include "bench/thread_chart.h"
#include "engine/base/threads.h"
#include "engine/model/atomic_file.h"
#include "tools/common/error_line.h"
#include "tools/common/measuring_images.h"
#include "tools/common/named_values.h"
#include "tools/common/peak.h"
#include "tools/common/precision_names.h"
#include "tools/common/value_checks.h"
#include "tools/manual/help.h"
#include "vit/model.h"

namespace vit::bench {

namespace {

/// Latency: threads share an image, because there are fewer images than threads. Throughput: every
/// thread has an image of its own.
enum class Split { latency, throughput };
constexpr std::array split_names{std::pair(Split::latency, "latency"),
                                 std::pair(Split::throughput, "throughput")};

struct Options {
    std::string model;
    std::string architecture;  // for random weights
    std::vector<int> threads;
    std::vector<int> batches{1, 8};
    std::vector<std::string> precisions{"f32"};
    std::vector<std::string> splits{"latency", "throughput"};
    bool peak_only = false;
    std::string plot;  ///< a chart to write; empty: none
};

/// 1, 2, 4, … and the number of usable threads.
std::vector<int> default_threads() {
    std::vector<int> counts;
    for (int count = 1; count < usable_threads(); count *= 2) counts.push_back(count);
    counts.push_back(usable_threads());
    return counts;
}

/// The batch sizes that split a run in this way. There is always at least one.
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

/// Keeps one loaded model, and reloads it when a run needs other settings.
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

    std::string architecture() const { return model_ ? model_->info().architecture : path_; }

  private:
    std::string path_;
    int threads_ = 0;
    Precision precision_ = Precision::f32;
    std::optional<Model> model_;
};

/// Throws Error(unsupported) that says what is missing.
double peak_or_error(tools::Arithmetic arithmetic, int threads) {
    const std::optional<double> peak = tools::measure_peak(arithmetic, threads);
    if (!peak)
        throw Error(
            ErrorKind::unsupported,
            fmt::format("peak of {}: {}; leave its precision out of --precision",
                        tools::instruction_name(arithmetic), tools::why_no_peak(arithmetic)));
    return *peak;
}

/// Measures peaks close in time to the runs. Google Benchmark calls each run a few times to find
/// out how long it takes, so a peak is measured again only if it is old or for another setting.
class PeakMeter {
  public:
    double get(tools::Arithmetic arithmetic, int threads) {
        using Clock = std::chrono::steady_clock;
        constexpr std::chrono::milliseconds fresh(300);
        if (arithmetic_ != arithmetic || threads_ != threads || Clock::now() - when_ > fresh) {
            peak_ = peak_or_error(arithmetic, threads);
            arithmetic_ = arithmetic;
            threads_ = threads;
            when_ = Clock::now();
        }
        return peak_;
    }

  private:
    std::optional<tools::Arithmetic> arithmetic_;
    int threads_ = 0;
    std::chrono::steady_clock::time_point when_;
    double peak_ = 0;
};

/// State that the runs share.
struct Bench {
    LoadedModel model;
    PeakMeter peak;
    std::vector<ThreadPoint> points;  ///< for the chart
};

/// Seconds of each iteration of the state, sorted.
std::vector<double> time_runs(benchmark::State& state, const Model& model, int batch) {
    using Clock = std::chrono::steady_clock;
    const std::vector<float> images = tools::measuring_images(model.info(), batch);
    std::vector<float> logits(static_cast<std::size_t>(batch * model.info().classes));
    const Outputs outputs{logits, {}, {}};
    model.run(images, batch, outputs);  // allocates memory and touches every page
    std::vector<double> seconds;
    for (auto _ : state) {
        const auto start = Clock::now();
        model.run(images, batch, outputs);
        seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    }
    std::sort(seconds.begin(), seconds.end());
    return seconds;
}

/// Percentage of the whole graph's work that a run for logits leaves out.
double saved_percent(const ModelInfo& info) {
    return 100 * (1 - info.gflop_executed_per_image / info.gflop_per_image);
}

void measure_model(benchmark::State& state, Bench& bench, const std::string& series,
                   Precision precision, int threads, int batch) {
    const Model& model = bench.model.get(threads, precision);
    const ModelInfo& info = model.info();
    const tools::Arithmetic arithmetic = tools::arithmetic_of(precision, info.isa);
    const double peak_before = bench.peak.get(arithmetic, threads);
    const std::vector<double> seconds = time_runs(state, model, batch);
    const double peak = std::max(peak_before, bench.peak.get(arithmetic, threads));

    const double median = seconds[seconds.size() / 2] / batch;
    const double speed = info.gflop_executed_per_image / median;
    const double nominal_speed = info.gflop_per_image / median;
    bench.points.push_back({series, threads, 1 / median});
    state.counters["images/s"] = 1 / median;
    state.counters["ms/image"] = median * 1e3;
    state.counters["best_ms/image"] = seconds.front() * 1e3 / batch;
    state.counters["GFLOP/s"] = speed;
    state.counters["peak_GFLOP/s"] = peak;
    state.counters["peak_share_%"] = 100 * speed / peak;
    state.counters["saved_%"] = saved_percent(info);
    state.counters["nominal_GFLOP/s"] = nominal_speed;
    state.counters["nominal_peak_share_%"] = 100 * nominal_speed / peak;
}

/// Registers `body(state)`. If it throws an error, the run is skipped and `skipped` is set.
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
                const std::string_view split_name = tools::name_of(split, split_names);
                if (std::find(options.splits.begin(), options.splits.end(), split_name) ==
                    options.splits.end())
                    continue;
                for (const int batch : batches_for(threads, split, options.batches))
                    add_run(fmt::format("{}/threads:{}/{}/batch:{}", precision, threads, split_name,
                                        batch),
                            skipped,
                            [&bench, series = fmt::format("{}, {}", precision, split_name),
                             precision = tools::value_of(precision, tools::precision_names),
                             threads, batch](benchmark::State& state) {
                                measure_model(state, bench, series, precision, threads, batch);
                            });
            }
}

void add_peak_run(const std::string& name, tools::Arithmetic arithmetic, int threads,
                  bool& skipped) {
    add_run(fmt::format("peak/{}/threads:{}", name, threads), skipped,
            [arithmetic, threads](benchmark::State& state) {
                double peak = 0;
                for (auto _ : state) peak = std::max(peak, peak_or_error(arithmetic, threads));
                state.counters["peak_GFLOP/s"] = peak;
            });
}

/// If the CPU has tiles, their peak comes first, because scripts may take the first figure for a
/// precision.
void add_peak_runs(const Options& options, bool has_tiles, bool& skipped) {
    for (const int threads : options.threads)
        for (const std::string& precision : options.precisions) {
            const Precision parsed = tools::value_of(precision, tools::precision_names);
            if (parsed != Precision::f32 && has_tiles)
                add_peak_run(precision + "-tiles", tools::arithmetic_of(parsed, "amx"), threads,
                             skipped);
            // Without tiles: an empty name of the kernels.
            add_peak_run(precision, tools::arithmetic_of(parsed, ""), threads, skipped);
        }
}

Facts facts_of(const ModelInfo& info, bool random_weights,
               const std::vector<std::string>& precisions) {
    Facts facts{{"model", info.architecture + (random_weights ? ", random weights" : "")},
                {"gflop_per_image", fmt::format("{:.2f}", info.gflop_per_image)},
                {"gflop_executed_per_image", fmt::format("{:.2f}", info.gflop_executed_per_image)},
                {"kernels", info.isa}};
    for (const std::string& precision : precisions)
        facts.emplace_back(precision + "_peak",
                           tools::instruction_name(tools::arithmetic_of(
                               tools::value_of(precision, tools::precision_names), info.isa)));
    return facts;
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
    app.add_option("--threads", options.threads)
        ->delimiter(',')
        ->check(tools::number_within(1, most_threads));
    app.add_option("--batch", options.batches)
        ->delimiter(',')
        ->check(tools::number_within(1, 65536));
    app.add_option("--precision", options.precisions)
        ->delimiter(',')
        ->check(tools::one_of(tools::precision_names));
    app.add_option("--split", options.splits)->delimiter(',')->check(tools::one_of(split_names));
    app.add_flag("--peak", options.peak_only);
    app.add_option("--plot", options.plot);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        throw Error(ErrorKind::usage, error.what());
    }
    if (wants_help) {
        std::fputs((tools::help_text(tool_text()) + "\n").c_str(), stdout);
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
    if (options.peak_only && !options.plot.empty())
        throw Error(ErrorKind::usage, "--plot draws images/s; leave out --peak");
    std::optional<AtomicFile> chart;  // opened now, so that mistakes appear before the runs
    if (!options.plot.empty()) chart.emplace(options.plot);
    Facts facts{{"version", version()}, {"cpu", cpu_name()}};
    bool skipped = false;
    std::optional<RandomModelFile> made;
    std::optional<Bench> bench;
    if (options.peak_only) {
        bool has_tiles = false;
        if (std::ranges::any_of(options.precisions,
                                [](const std::string& precision) { return precision != "f32"; })) {
            const std::string_view why_not = tools::why_no_peak(tools::Arithmetic::bf16_tiles);
            has_tiles = why_not.empty();
            facts.emplace_back("tiles", has_tiles ? "measured" : why_not);
        }
        add_peak_runs(options, has_tiles, skipped);
    } else {
        if (options.model.empty()) {
            const bool int8 =
                std::ranges::find(options.precisions, "int8") != options.precisions.end();
            made.emplace(options.architecture, int8);
        }
        bench.emplace(LoadedModel(made ? made->path().string() : options.model), PeakMeter());
        // Loads the model now, so that errors in the model file appear before the runs.
        const ModelInfo& info = bench->model.get(options.threads.front(), Precision::f32).info();
        const Facts more = facts_of(info, made.has_value(), options.precisions);
        facts.insert(facts.end(), more.begin(), more.end());
        add_model_runs(options, *bench, skipped);
    }
    run_benchmarks(facts);
    benchmark::Shutdown();
    if (chart) {
        const std::string svg = thread_chart(
            fmt::format("{} on {}", bench->model.architecture(), cpu_name()), bench->points);
        chart->write(std::as_bytes(std::span(svg)));
        chart->commit();
    }
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
