// The fixtures for the tests of evaluation: what timm's validation found, and images in class
// folders.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "tests/cli/fixture.h"

namespace vit::test {

class EvaluationTest : public InferTest {
  protected:
    static std::filesystem::path data() {
        return std::filesystem::path(VIT_TEST_DATA) / "evaluation";
    }
    static std::string labels_csv() { return digits() / "test/labels.csv"; }

    /// tools/fixtures/evaluation.py wrote it.
    static nlohmann::json expected(const std::string& name) {
        return nlohmann::json::parse(read(data() / "expected.json")).at(name);
    }

    static Finished evaluate(const std::string& source, std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"--evaluate", source});
        return infer(more);
    }
    static Finished eval(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), VIT_EVAL);
        return run(arguments);
    }

    /// A CSV beside copies of samples.
    std::string samples_csv(const std::string& rows) const {
        for (const char* name : {"01_five.png", "02_two.png", "03_eight.png"})
            if (!std::filesystem::exists(path(name))) copy_sample(name, name);
        return write("truth.csv", rows);
    }

    static void expect_error(const Finished& done, int status, const std::string& text) {
        EXPECT_EQ(done.status, status) << done.err;
        EXPECT_THAT(done.err, testing::AllOf(testing::MatchesRegex("vit-(infer|eval): error: .*\n"),
                                             testing::HasSubstr(text)));
        EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << done.err;
        EXPECT_EQ(done.out, "");
    }

    /// Compares a summary in JSON with the figures of timm, torchmetrics and scikit-learn.
    static void expect_figures(const nlohmann::json& found, const nlohmann::json& timm) {
        const double images = timm["images"];
        EXPECT_EQ(found["images"], timm["images"]);
        EXPECT_EQ(found["failed"], 0);
        // timm's percentages come from float32 means of batches; counts must be the same.
        EXPECT_EQ(found["top1_right"], std::lround(timm["top1"].get<double>() * images / 100));
        EXPECT_EQ(found["top5_right"], std::lround(timm["top5"].get<double>() * images / 100));
        EXPECT_NEAR(found["top1"], timm["top1"].get<double>() / 100, 1e-6);
        EXPECT_NEAR(found["class_mean_top1"], timm["class_mean"], 1e-9);
        // Logits agree to a relative error of 1e-5.
        EXPECT_NEAR(found["nll"], timm["nll"], 1e-4);
        EXPECT_NEAR(found["ece"], timm["ece"], 1e-4);

        std::vector<std::vector<int>> confusion = timm["confusion"];
        for (const auto& each : found["confusions"])
            confusion.at(each["true"]).at(each["predicted"]) -= each["images"].get<int>();
        for (const auto& each : found["classes"])
            confusion.at(each["index"]).at(each["index"]) -= each["top1_right"].get<int>();
        for (const auto& row : confusion) EXPECT_THAT(row, testing::Each(0));
    }
};

}  // namespace vit::test
