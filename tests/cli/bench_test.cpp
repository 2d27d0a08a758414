// Runs vit-bench as users do, and checks names, counters and the JSON file.
#include <gmock/gmock.h>

#include "tests/cli/fixture.h"
#include "tests/support/models.h"
#include "tools/common/peak.h"

namespace vit::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Bench : public InferTest {
  protected:
    /// The content of the --benchmark_out file after a run with the bundled model.
    json measure(std::vector<std::string> arguments, int expected_status) {
        arguments.insert(arguments.begin(),
                         {VIT_BENCH, "--benchmark_min_time=0.01",
                          "--benchmark_out=" + path("out.json"), "--benchmark_out_format=json"});
        const Finished done = run(arguments);
        EXPECT_EQ(done.status, expected_status) << done.out << done.err;
        return json::parse(read(path("out.json")));
    }
};

std::vector<std::string> names_of(const json& results) {
    std::vector<std::string> names;
    for (const json& each : results.at("benchmarks")) names.push_back(each.at("name"));
    return names;
}

TEST_F(Bench, MeasuresBothSplitsOfEveryThreadCount) {
    const json results = measure({"--model", model(), "--threads", "1,3", "--batch", "1,2,8"}, 0);
    EXPECT_THAT(names_of(results),
                testing::ElementsAre("f32/threads:1/latency/batch:1/real_time",
                                     "f32/threads:1/throughput/batch:2/real_time",
                                     "f32/threads:1/throughput/batch:8/real_time",
                                     "f32/threads:3/latency/batch:1/real_time",
                                     "f32/threads:3/latency/batch:2/real_time",
                                     "f32/threads:3/throughput/batch:8/real_time"));
    for (const json& each : results["benchmarks"]) {
        const double speed = each.at("images/s");
        EXPECT_GT(speed, 0);
        EXPECT_NEAR(each["ms/image"].get<double>() * speed, 1000, 1e-6);
        EXPECT_LE(each["best_ms/image"], each["ms/image"]);
    }
}

/// The peak shares count the work that was done. The work left out has a figure of its own.
TEST_F(Bench, TellsWorkDoneFromWorkLeftOut) {
    ModelConfig config = small_config();
    config.image_size = {224, 224};  // large enough that the context's two decimals are not 0
    const TemporaryModel class_token(config);
    config.class_token = false;
    config.pooling = Pooling::avg;  // averages all rows, so the last block computes all of them
    const TemporaryModel average(config);
    for (const TemporaryModel* file : {&class_token, &average}) {
        const json results =
            measure({"--model", file->path(), "--threads", "1", "--batch", "1"}, 0);
        const auto from_context = [&](const char* key) {
            return std::stod(results["context"].at(key).get<std::string>());
        };
        const json& run = results["benchmarks"][0];
        const auto counter = [&](const char* name) { return run.at(name).get<double>(); };
        EXPECT_NEAR(counter("GFLOP/s") / counter("images/s"),
                    from_context("gflop_executed_per_image"), 0.006);
        EXPECT_NEAR(counter("nominal_GFLOP/s") / counter("images/s"),
                    from_context("gflop_per_image"), 0.006);
        EXPECT_NEAR(counter("peak_share_%") / 100, counter("GFLOP/s") / counter("peak_GFLOP/s"),
                    1e-6);
        EXPECT_NEAR(counter("nominal_peak_share_%") / 100,
                    counter("nominal_GFLOP/s") / counter("peak_GFLOP/s"), 1e-6);
        EXPECT_NEAR(counter("saved_%") / 100, 1 - counter("GFLOP/s") / counter("nominal_GFLOP/s"),
                    1e-6);
        if (file == &average) {
            EXPECT_EQ(counter("saved_%"), 0);
            EXPECT_EQ(counter("peak_share_%"), counter("nominal_peak_share_%"));
        } else {
            EXPECT_GT(counter("saved_%"), 0);
            EXPECT_LT(counter("peak_share_%"), counter("nominal_peak_share_%"));
        }
    }
}

/// The library's own text would warn about the library's build.
TEST_F(Bench, SaysWhatItRunsOnWithoutTheLibrarysWarning) {
    const Finished done = run({VIT_BENCH, "--model", model(), "--threads=1", "--batch=1",
                               "--split=latency", "--benchmark_min_time=0.01"});
    EXPECT_EQ(done.status, 0);
    EXPECT_THAT(done.out, HasSubstr("f32/threads:1/latency/batch:1"));
    EXPECT_THAT(done.out + done.err, testing::Not(HasSubstr("DEBUG")));
    EXPECT_THAT(done.err, testing::ContainsRegex("(^|\n)cpu: [^\n]+\n"));
    EXPECT_THAT(done.err, testing::ContainsRegex("\nkernels: (baseline|avx2|avx512|amx)\n"));
    EXPECT_THAT(done.err, HasSubstr("\ncores: "));
}

TEST_F(Bench, KeepsTheLibrarysContextInJson) {
    const json context = measure({"--peak", "--threads", "1"}, 0)["context"];
    for (const char* key : {"date", "num_cpus", "library_build_type", "cpu", "version"})
        EXPECT_TRUE(context.contains(key)) << key;
}

TEST_F(Bench, AddsABatchWhereNoneFitsTheSplit) {
    EXPECT_THAT(names_of(measure({"--model", model(), "--threads", "2", "--batch", "1"}, 0)),
                testing::Contains("f32/threads:2/throughput/batch:2/real_time"));
    EXPECT_THAT(
        names_of(measure(
            {"--model", model(), "--threads", "2", "--batch", "8", "--split", "latency"}, 0)),
        testing::ElementsAre("f32/threads:2/latency/batch:1/real_time"));
}

TEST_F(Bench, TakesGoogleBenchmarksFlags) {
    const json results =
        measure({"--model", model(), "--threads", "1", "--benchmark_filter=latency",
                 "--benchmark_repetitions=3", "--benchmark_report_aggregates_only=true"},
                0);
    const std::vector<std::string> names = names_of(results);
    EXPECT_THAT(names, testing::Each(HasSubstr("latency")));
    EXPECT_THAT(names, testing::Contains("f32/threads:1/latency/batch:1/real_time_median"));
}

TEST_F(Bench, MeasuresPeaksWithoutAModel) {
    const json results = measure({"--peak", "--threads", "1,2"}, 0);
    ASSERT_EQ(results["benchmarks"].size(), 2u);
    for (const json& each : results["benchmarks"]) EXPECT_GT(each.at("peak_GFLOP/s"), 1.0);
}

/// If the CPU has tiles, their peak is measured before the dot product. Otherwise the context says
/// why not.
TEST_F(Bench, MeasuresThePeakOfTilesOrSaysWhyNot) {
    const Finished done = run({VIT_BENCH, "--peak", "--precision=bf16", "--threads=1",
                               "--benchmark_min_time=0.01", "--benchmark_format=json"});
    const json results = json::parse(done.out);
    const std::string said = results["context"].at("tiles");
    const std::string_view why_not = tools::why_no_peak(tools::Arithmetic::bf16_tiles);
    if (why_not.empty()) {
        EXPECT_EQ(said, "measured");
        EXPECT_THAT(names_of(results), testing::ElementsAre("peak/bf16-tiles/threads:1/real_time",
                                                            "peak/bf16/threads:1/real_time"));
        EXPECT_GT(results["benchmarks"][0].at("peak_GFLOP/s"), 1.0);
    } else {
        EXPECT_EQ(said, why_not);
        EXPECT_THAT(said, HasSubstr("AMX"));
        EXPECT_THAT(names_of(results), testing::ElementsAre("peak/bf16/threads:1/real_time"));
    }
}

/// The precision is either measured, or skipped with a message and status 1. Other runs continue.
TEST_F(Bench, SkipsAPrecisionThatIsNotThere) {
    for (const std::string what : {"--peak", "--model"}) {
        std::vector<std::string> arguments{VIT_BENCH,
                                           "--benchmark_min_time=0.01",
                                           "--benchmark_format=json",
                                           "--threads=1",
                                           "--batch=1",
                                           "--precision=f32,bf16",
                                           what};
        if (what == "--model") arguments.push_back(model());
        const Finished done = run(arguments);
        const json results = json::parse(done.out);
        ASSERT_GE(results["benchmarks"].size(), 2u);
        const json& f32 = results["benchmarks"].front();
        const json& bf16 = results["benchmarks"].back();
        EXPECT_FALSE(f32.contains("error_occurred")) << f32;
        if (bf16.contains("error_occurred")) {
            EXPECT_EQ(done.status, 1);
            EXPECT_THAT(bf16["error_message"].get<std::string>(), HasSubstr("bf16"));
            EXPECT_THAT(done.err, HasSubstr("vit-bench: error: "));
        } else {
            EXPECT_EQ(done.status, 0);
            EXPECT_GT(bf16.at("peak_GFLOP/s"), 0);
        }
    }
}

TEST_F(Bench, RefusesWrongUsage) {
    const std::vector<std::vector<std::string>> wrong{
        {"--threads", "1"},
        {"--model", model(), "--random-weights", "vit_tiny_patch16_224"},
        {"--peak", "--model", model()},
        {"--model", model(), "--precision", "int4"},
        {"--model", model(), "--split", "sideways"},
        {"--model", model(), "--threads", "0"},
        {"--model", model(), "--benchmark_unknown=1"},
    };
    for (std::vector<std::string> arguments : wrong) {
        arguments.insert(arguments.begin(), VIT_BENCH);
        const Finished done = run(arguments);
        EXPECT_EQ(done.status, 2) << done.err;
        EXPECT_THAT(done.err, testing::MatchesRegex("vit-bench: error: [^\n]+\n"));
    }
}

TEST_F(Bench, DrawsAChart) {
    measure({"--model", model(), "--threads", "1,2", "--plot", path("chart.svg")}, 0);
    const std::string chart = read(path("chart.svg"));
    for (const char* each : {"<svg", "f32, latency", "f32, throughput", "images/s", ">2</text>"})
        EXPECT_THAT(chart, HasSubstr(each));
    const Finished peak = run({VIT_BENCH, "--peak", "--plot", path("peak.svg")});
    EXPECT_EQ(peak.status, 2);
    EXPECT_THAT(peak.err, HasSubstr("leave out --peak"));
}

}  // namespace
}  // namespace vit::test
