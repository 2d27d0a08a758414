// vit-bench as its users run it: names, counters and the JSON file.
#include <gmock/gmock.h>

#include "tests/cli/fixture.h"

namespace vit::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Bench : public InferTest {
  protected:
    /// What --benchmark_out holds after a run over the bundled model.
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
    const double gflop = std::stod(results["context"].at("gflop_per_image").get<std::string>());
    EXPECT_GT(gflop, 0);
    for (const json& each : results["benchmarks"]) {
        const double speed = each.at("images/s");
        EXPECT_GT(speed, 0);
        EXPECT_NEAR(each["ms/image"].get<double>() * speed, 1000, 1e-6);
        EXPECT_LE(each["best_ms/image"], each["ms/image"]);
        // The context's figure has two decimals.
        EXPECT_NEAR(each["GFLOP/s"].get<double>() / speed, gflop, 0.006);
        EXPECT_NEAR(each["peak_share_%"].get<double>() / 100,
                    each["GFLOP/s"].get<double>() / each["peak_GFLOP/s"].get<double>(), 1e-6);
    }
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

/// Either measured, or skipped with a message and status 1; the rest goes on.
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
        ASSERT_EQ(results["benchmarks"].size(), 2u);
        const json& f32 = results["benchmarks"][0];
        const json& bf16 = results["benchmarks"][1];
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

}  // namespace
}  // namespace vit::test
