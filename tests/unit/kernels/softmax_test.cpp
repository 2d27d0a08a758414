#include <algorithm>
#include <limits>
#include <numeric>

#include "tests/unit/kernels/kernels_test.h"

namespace vit::kernels {
namespace {

std::vector<double> reference(const float* x, std::size_t cols, float scale) {
    const double max = *std::max_element(x, x + cols);
    std::vector<double> y(cols);
    for (std::size_t i = 0; i < cols; ++i)
        y[i] = std::exp(static_cast<double>(scale) * (x[i] - max));
    const double sum = std::accumulate(y.begin(), y.end(), 0.0);
    for (double& value : y) value /= sum;
    return y;
}

class Softmax : public EveryTable {
  protected:
    std::vector<float> softmax(std::vector<float> x, float scale = 1.0F) const {
        GetParam()->softmax(row_major(x.data(), 1, x.size(), x.size()), scale);
        return x;
    }
};

/// The error is relative, so that small probabilities count as much as large ones.
LargestError largest_error(const Table& table, float deviation, float scale) {
    LargestError largest;
    for (const std::size_t cols : lengths())
        for (unsigned seed = 0; seed < 20; ++seed) {
            const std::vector<float> x = normal_numbers(cols, 0.0F, deviation, seed);
            std::vector<float> y = x;
            table.softmax(row_major(y.data(), 1, cols, cols), scale);
            const auto expected = reference(x.data(), cols, scale);
            for (std::size_t i = 0; i < cols; ++i)
                if (expected[i] > 1e-36)
                    largest.note(std::abs(y[i] - expected[i]) / expected[i],
                                 static_cast<double>(cols));
        }
    return largest;
}

// The limit is twice the measured error, which is written beside the kernel.
TEST_P(Softmax, IsAccurate) {
    largest_error(*GetParam(), 1.0F, 1.0F).expect_at_most(1.1e-6, "relative_error");
}

// As in attention with heads of 32: the scores have standard deviation √32 and are scaled by 1 /
// √32.
TEST_P(Softmax, IsAccurateWithAScale) {
    largest_error(*GetParam(), 5.6568542F, 0.1767767F).expect_at_most(1.2e-6, "relative_error");
}

// Here the error comes mainly from rounding scale (x − max), which is up to 80.
TEST_P(Softmax, IsAccurateForWideRows) {
    largest_error(*GetParam(), 10.0F, 1.0F).expect_at_most(8.4e-6, "relative_error");
}

TEST_P(Softmax, ExpIsAccurateOnItsWholeRange) {
    LargestError largest;
    for (double y = 0.0; y > -87.29; y -= 0.0013) {
        const float x = static_cast<float>(y);
        const double e = std::exp(static_cast<double>(x));
        const float p = softmax({0.0F, x})[1];
        largest.note(std::abs(p - e / (1.0 + e)) / (e / (1.0 + e)), x);
    }
    largest.expect_at_most(3.7e-7, "relative_error");
}

TEST_P(Softmax, FarBelowTheMaximumIsZero) {
    const float lowest = std::numeric_limits<float>::lowest();
    const float infinity = std::numeric_limits<float>::infinity();
    for (const float far : {-88.0F, -104.0F, -1e3F, -1e10F, lowest, -infinity}) {
        const std::vector<float> y = softmax({0.0F, far, 0.0F});
        EXPECT_EQ(y[0], 0.5F) << far;
        EXPECT_EQ(y[1], 0.0F) << far;
    }
    const std::vector<float> extremes = softmax({-lowest, lowest, 0.0F});
    EXPECT_EQ(extremes, (std::vector<float>{1.0F, 0.0F, 0.0F}));
}

TEST_P(Softmax, EqualScoresShareEqually) {
    for (const std::size_t cols : lengths())
        for (const float value : {0.0F, -1e30F, 3e38F, 1e-42F}) {
            const std::vector<float> y = softmax(std::vector<float>(cols, value));
            for (const float p : y) ASSERT_FLOAT_EQ(p, 1.0F / static_cast<float>(cols));
        }
}

TEST_P(Softmax, ScaleZeroSharesEqually) {
    for (const float p : softmax(normal_numbers(197), 0.0F)) ASSERT_FLOAT_EQ(p, 1.0F / 197.0F);
}

TEST_P(Softmax, TheMaximumMayBeAnywhere) {
    for (const std::size_t cols : lengths()) {
        if (cols > 70) break;
        for (std::size_t at = 0; at < cols; ++at) {
            std::vector<float> x(cols, -200.0F);
            x[at] = 300.0F;
            const std::vector<float> y = softmax(x);
            for (std::size_t i = 0; i < cols; ++i) ASSERT_EQ(y[i], i == at ? 1.0F : 0.0F);
        }
    }
}

// A row has the same bits alone or among others, at any address and stride.
TEST_P(Softmax, RowDoesNotDependOnPlace) {
    constexpr std::size_t rows = 3;
    constexpr float scale = 0.7F;
    for (const std::size_t cols : lengths()) {
        const std::vector<float> x = normal_numbers(rows * cols, 0.0F, 3.0F);
        std::vector<float> alone = x;
        for (std::size_t r = 0; r < rows; ++r)
            GetParam()->softmax(row_major(alone.data() + r * cols, 1, cols, cols), scale);
        for (const std::size_t misalignment : {0, 1, 5, 11})
            for (const std::size_t gap : {0, 1, 6}) {
                const std::size_t stride = cols + gap;
                GuardedFloats y(rows * stride - gap, misalignment);
                for (std::size_t r = 0; r < rows; ++r)
                    std::memcpy(y.data() + r * stride, x.data() + r * cols, cols * sizeof(float));
                GetParam()->softmax(row_major(y.data(), rows, cols, stride), scale);
                for (std::size_t r = 0; r < rows; ++r) {
                    ASSERT_TRUE(same_bits(y.data() + r * stride, alone.data() + r * cols, cols))
                        << cols << " " << misalignment << " " << gap;
                    for (std::size_t i = cols; i < stride && r + 1 < rows; ++i)
                        ASSERT_TRUE(GuardedFloats::is_guard(y[r * stride + i]));
                }
                ASSERT_TRUE(y.intact());
            }
    }
}

TEST_P(Softmax, NanReachesTheWholeRow) {
    for (const std::size_t cols : {3, 8, 21, 64, 67})
        for (std::size_t at = 0; at < cols; ++at) {
            std::vector<float> x(cols, 1.0F);
            x[at] = std::numeric_limits<float>::quiet_NaN();
            for (const float p : softmax(x)) ASSERT_TRUE(std::isnan(p)) << cols << " " << at;
        }
}

TEST_P(Softmax, NothingToDo) {
    GuardedFloats x(4);
    GetParam()->softmax(row_major(x.data(), 0, 4, 4), 1.0F);
    GetParam()->softmax(row_major(x.data(), 1, 0, 0), 1.0F);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(GuardedFloats::is_guard(x[i]));
}

INSTANTIATE_TEST_SUITE_P(Isa, Softmax, testing::ValuesIn(available_tables()), table_name);

}  // namespace
}  // namespace vit::kernels
