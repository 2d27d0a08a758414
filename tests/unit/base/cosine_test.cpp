#include "engine/base/cosine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace vit::inline internal {
namespace {

using Floats = std::vector<float>;

TEST(Cosine, IsThatOfTheAngle) {
    EXPECT_DOUBLE_EQ(cosine(Floats{3, 0}, Floats{5, 0}), 1);
    EXPECT_DOUBLE_EQ(cosine(Floats{3, 0}, Floats{-5, 0}), -1);
    EXPECT_DOUBLE_EQ(cosine(Floats{1, 1}, Floats{0, 2}), std::sqrt(0.5));
    EXPECT_DOUBLE_EQ(cosine(Floats{1e30f, 0}, Floats{1e30f, 1e30f}), std::sqrt(0.5));
}

TEST(Cosine, OfZeroVectors) {
    EXPECT_EQ(cosine(Floats{0, 0}, Floats{0, 0}), 1);
    EXPECT_EQ(cosine(Floats{0, 0}, Floats{1, 0}), 0);
    EXPECT_TRUE(std::isnan(cosine(Floats{std::nanf(""), 0}, Floats{1, 0})));
}

TEST(InverseLength, IsZeroWithoutADirection) {
    EXPECT_DOUBLE_EQ(inverse_length(Floats{3, 4}), 0.2);
    EXPECT_DOUBLE_EQ(inverse_length(Floats{0, 2e-38f}), 1 / double{2e-38f});
    EXPECT_DOUBLE_EQ(inverse_length(Floats{-3e38f, 0}), 1 / double{3e38f});
    EXPECT_EQ(inverse_length(Floats{0, 0}), 0);
    EXPECT_EQ(inverse_length(Floats{1, std::nanf("")}), 0);
    EXPECT_EQ(inverse_length(Floats{1, -INFINITY}), 0);
}

}  // namespace
}  // namespace vit::inline internal
