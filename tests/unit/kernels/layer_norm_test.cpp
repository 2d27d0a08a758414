#include "tests/unit/kernels/kernels_test.h"

namespace vit::kernels {
namespace {

constexpr float eps = 1e-6F;

std::vector<double> reference(const float* x, std::size_t cols, const float* gamma,
                              const float* beta) {
    double mean = 0.0;
    for (std::size_t i = 0; i < cols; ++i) mean += x[i];
    mean /= static_cast<double>(cols);
    double variance = 0.0;
    for (std::size_t i = 0; i < cols; ++i) variance += (x[i] - mean) * (x[i] - mean);
    variance /= static_cast<double>(cols);
    const double inverse = 1.0 / std::sqrt(variance + static_cast<double>(eps));
    std::vector<double> y(cols);
    for (std::size_t i = 0; i < cols; ++i) y[i] = (x[i] - mean) * inverse * gamma[i] + beta[i];
    return y;
}

class LayerNorm : public EveryTable {
  protected:
    const std::vector<float> gamma_ = normal_numbers(4096, 1.0F, 0.3F, 11);
    const std::vector<float> beta_ = normal_numbers(4096, 0.0F, 0.3F, 12);

    void run(const float* in, std::size_t in_stride, float* out, std::size_t out_stride,
             std::size_t rows, std::size_t cols) const {
        GetParam()->layer_norm(rows_of(in, rows, cols, in_stride),
                               row_major(out, rows, cols, out_stride),
                               {gamma_.data(), beta_.data(), eps});
    }

    /// The largest error over rows of all lengths, normally distributed. An error is divided by
    /// max(1, |expected value|), because most outputs are about 1.
    LargestError largest_error(float mean, float deviation) const {
        LargestError largest;
        for (const std::size_t cols : lengths())
            for (unsigned seed = 0; seed < 20; ++seed) {
                const std::vector<float> x = normal_numbers(cols, mean, deviation, 100 + seed);
                std::vector<float> y(cols);
                run(x.data(), cols, y.data(), cols, 1, cols);
                const auto expected = reference(x.data(), cols, gamma_.data(), beta_.data());
                for (std::size_t i = 0; i < cols; ++i)
                    largest.note(
                        std::abs(y[i] - expected[i]) / std::max(1.0, std::abs(expected[i])),
                        static_cast<double>(cols));
            }
        return largest;
    }
};

// The limit is twice the measured error, which is written beside the kernel.
TEST_P(LayerNorm, IsAccurate) {
    largest_error(0.0F, 1.0F).expect_at_most(7.9e-7, "error");
}

TEST_P(LayerNorm, IsAccurateForLargeValues) {
    largest_error(1e4F, 1e4F).expect_at_most(7.9e-7, "error");
}

TEST_P(LayerNorm, IsAccurateForSmallValues) {
    largest_error(0.0F, 1e-3F).expect_at_most(7.9e-7, "error");
}

// With the formula E[x²] − mean², nothing would be left of this variance.
TEST_P(LayerNorm, KeepsASmallVarianceBesideALargeMean) {
    largest_error(1000.0F, 0.01F).expect_at_most(7.9e-7, "error");
}

TEST_P(LayerNorm, KeepsASmallVarianceBesideAHugeMean) {
    largest_error(1e6F, 1.0F).expect_at_most(7.9e-7, "error");
}

TEST_P(LayerNorm, ConstantRowsGiveBeta) {
    for (const std::size_t cols : lengths())
        for (const float value : {0.0F, 1.0F, -0.1F, 1000.3F, 1e-40F, -3e5F}) {
            const std::vector<float> x(cols, value);
            std::vector<float> y(cols);
            run(x.data(), cols, y.data(), cols, 1, cols);
            for (std::size_t i = 0; i < cols; ++i)
                ASSERT_NEAR(y[i], beta_[i], 1e-6) << cols << " " << value;
        }
}

TEST_P(LayerNorm, EpsIsInsideTheRoot) {
    const std::vector<float> x = {-1e-3F, 1e-3F};
    const std::vector<float> ones = {1.0F, 1.0F};
    const std::vector<float> zeros = {0.0F, 0.0F};
    std::vector<float> y(2);
    GetParam()->layer_norm(rows_of(x.data(), 1, 2, 2), row_major(y.data(), 1, 2, 2),
                           {ones.data(), zeros.data(), 3e-6F});
    EXPECT_NEAR(y[1], 0.5, 1e-6);  // variance 1e-6: 1e-3 / sqrt(4e-6)
    EXPECT_NEAR(y[0], -0.5, 1e-6);
}

// A row has the same bits alone or among others, at any address and stride, in place or not.
TEST_P(LayerNorm, RowDoesNotDependOnPlace) {
    constexpr std::size_t rows = 3;
    for (const std::size_t cols : lengths()) {
        const std::vector<float> x = normal_numbers(rows * cols, 0.5F, 2.0F);
        std::vector<float> alone(rows * cols);
        for (std::size_t r = 0; r < rows; ++r)
            run(x.data() + r * cols, cols, alone.data() + r * cols, cols, 1, cols);
        for (const std::size_t misalignment : {0, 1, 5, 11})
            for (const std::size_t gap : {0, 1, 6}) {
                const std::size_t in_stride = cols + gap;
                const std::size_t out_stride = cols + 2 * gap;
                GuardedFloats in(rows * in_stride - gap, misalignment);
                GuardedFloats out(rows * out_stride - 2 * gap, misalignment / 2);
                for (std::size_t r = 0; r < rows; ++r)
                    std::memcpy(in.data() + r * in_stride, x.data() + r * cols,
                                cols * sizeof(float));
                run(in.data(), in_stride, out.data(), out_stride, rows, cols);
                for (std::size_t r = 0; r < rows; ++r) {
                    ASSERT_TRUE(same_bits(in.data() + r * in_stride, x.data() + r * cols, cols));
                    ASSERT_TRUE(
                        same_bits(out.data() + r * out_stride, alone.data() + r * cols, cols))
                        << cols << " " << misalignment << " " << gap;
                    for (std::size_t i = cols; i < out_stride && r + 1 < rows; ++i)
                        ASSERT_TRUE(GuardedFloats::is_guard(out[r * out_stride + i]));
                }
                run(in.data(), in_stride, in.data(), in_stride, rows, cols);
                for (std::size_t r = 0; r < rows; ++r) {
                    ASSERT_TRUE(same_bits(in.data() + r * in_stride, alone.data() + r * cols, cols))
                        << "in place " << cols << " " << misalignment << " " << gap;
                    for (std::size_t i = cols; i < in_stride && r + 1 < rows; ++i)
                        ASSERT_TRUE(GuardedFloats::is_guard(in[r * in_stride + i]));
                }
                ASSERT_TRUE(in.intact() && out.intact());
            }
    }
}

TEST_P(LayerNorm, NanReachesTheWholeRowAndNoOther) {
    constexpr std::size_t cols = 21;
    std::vector<float> x = normal_numbers(3 * cols);
    x[cols + 20] = std::numeric_limits<float>::quiet_NaN();
    run(x.data(), cols, x.data(), cols, 3, cols);
    for (std::size_t i = 0; i < cols; ++i) {
        EXPECT_TRUE(std::isfinite(x[i]));
        EXPECT_TRUE(std::isnan(x[cols + i]));
        EXPECT_TRUE(std::isfinite(x[2 * cols + i]));
    }
}

TEST_P(LayerNorm, NothingToDo) {
    GuardedFloats x(4);
    run(x.data(), 4, x.data(), 4, 0, 4);
    run(x.data(), 0, x.data(), 0, 1, 0);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(GuardedFloats::is_guard(x[i]));
}

INSTANTIATE_TEST_SUITE_P(Isa, LayerNorm, testing::ValuesIn(available_tables()), table_name);

}  // namespace
}  // namespace vit::kernels
