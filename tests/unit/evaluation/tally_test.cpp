#include "tools/evaluation/tally.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "tools/evaluation/metrics.h"

namespace vit::tools {
namespace {

using testing::ElementsAre;

constexpr float infinity = std::numeric_limits<float>::infinity();

ImageResult certain(std::int64_t predicted, double confidence) {
    return {{predicted}, confidence, {}};
}

TEST(ImageResult, HasTheBestClassesInOrder) {
    const std::vector<float> logits{1, 3, 3, -2, 0, 2, 0.5f};
    const auto result = result_of_logits(logits, 3);
    ASSERT_TRUE(result);
    EXPECT_THAT(result->best, ElementsAre(1, 2, 5, 0, 6));  // of equal logits the lower index
    EXPECT_THAT(result_of_logits(std::vector<float>{0, 1}, 0)->best, ElementsAre(1, 0));
}

TEST(ImageResult, HasProbabilitiesOfExtremeLogits) {
    const auto result = result_of_logits(std::vector<float>{1e4f, -1e4f}, 1);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->confidence, 1);
    EXPECT_EQ(result->log_likelihood, -2e4);
    const auto even = result_of_logits(std::vector<float>(4, 1e30f), 2);
    EXPECT_DOUBLE_EQ(even->confidence, 0.25);
    EXPECT_DOUBLE_EQ(*even->log_likelihood, -std::log(4));
}

TEST(ImageResult, IsEmptyForLogitsThatAreNotFinite) {
    for (const float wrong : {infinity, -infinity, std::nanf("")})
        EXPECT_FALSE(result_of_logits(std::vector<float>{1, wrong, 2}, 0));
}

TEST(Tally, PutsConfidencesIntoBins) {
    Tally tally = make_tally(2, false);
    add_result(tally, certain(0, 0), 0);
    add_result(tally, certain(0, 1.0 / 15), 0);
    add_result(tally, certain(0, std::nextafter(1.0 / 15, 1)), 0);
    add_result(tally, certain(0, 1), 0);
    add_result(tally, certain(0, 1 + 1e-9), 1);
    EXPECT_EQ(tally.bins[0].images, 2);
    EXPECT_EQ(tally.bins[1].images, 1);
    EXPECT_EQ(tally.bins[14].images, 2);
    EXPECT_EQ(tally.bins[14].right, 1);
}

TEST(Tally, GivesTheFiguresOfItsClasses) {
    Tally tally = make_tally(4, true);
    const std::vector<std::int64_t> real{1, 3};
    add_result(tally, {{0, 1, 2, 3}, 0.9, -0.1}, 0, real);
    add_result(tally, {{1, 0, 2, 3}, 0.5, -0.7}, 0, real);
    add_result(tally, {{1, 0, 2, 3}, 0.5, -0.7}, 0, {});
    add_result(tally, {{2, 0, 1, 3}, 0.5, -0.7}, 0, {});
    add_result(tally, {{1, 0, 2, 3}, 0.8, -0.2}, 1, {});
    const std::vector<ClassRow> rows = class_rows(tally);
    ASSERT_EQ(rows.size(), 2u);  // of classes that have images
    EXPECT_EQ(rows[0].hits.images, 4);
    EXPECT_EQ(rows[0].hits.top1, 1);
    EXPECT_EQ(rows[0].hits.top5, 4);
    EXPECT_EQ(rows[0].confused_with, 1);
    EXPECT_EQ(rows[0].confused_images, 2);
    EXPECT_EQ(rows[1].confused_with, -1);
    EXPECT_EQ(worst_classes(tally)[0].index, 0);
    EXPECT_DOUBLE_EQ(mean_class_accuracy(tally), (0.25 + 1) / 2);
    EXPECT_NEAR(*negative_log_likelihood(tally), 2.4 / 5, 1e-12);
    EXPECT_EQ(tally.real->images, 2);
    EXPECT_EQ(tally.real->top1, 1);
    EXPECT_EQ(tally.real->top5, 2);
    EXPECT_TRUE(tally.top5_known);
    add_result(tally, {{1}, 0.8, {}}, 1, {});
    EXPECT_FALSE(tally.top5_known);
    EXPECT_EQ(negative_log_likelihood(tally), std::nullopt);
}

}  // namespace
}  // namespace vit::tools
