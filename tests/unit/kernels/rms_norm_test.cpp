#include "tests/unit/kernels/kernels_test.h"

namespace vit::kernels {
namespace {

constexpr float eps = 1e-6F;

class RmsNorm : public EveryTable {
  protected:
    const std::vector<float> gamma_ = normal_numbers(4096, 1.0F, 0.3F, 11);

    void run(const float* in, std::size_t in_stride, float* out, std::size_t out_stride,
             std::size_t rows, std::size_t cols) const {
        GetParam()->rms_norm(rows_of(in, rows, cols, in_stride),
                             row_major(out, rows, cols, out_stride), {gamma_.data(), nullptr, eps});
    }

    /// The largest relative error over rows of all lengths, normally distributed.
    LargestError largest_error(float mean, float deviation) const {
        LargestError largest;
        for (const std::size_t cols : lengths())
            for (unsigned seed = 0; seed < 20; ++seed) {
                const std::vector<float> x = normal_numbers(cols, mean, deviation, 100 + seed);
                std::vector<float> y(cols);
                run(x.data(), cols, y.data(), cols, 1, cols);
                double squares = 0.0;
                for (const float v : x) squares += static_cast<double>(v) * v;
                const double inverse =
                    1.0 / std::sqrt(squares / static_cast<double>(cols) + static_cast<double>(eps));
                for (std::size_t i = 0; i < cols; ++i) {
                    const double expected = x[i] * inverse * gamma_[i];
                    largest.note(std::abs(y[i] - expected) / std::abs(expected),
                                 static_cast<double>(cols));
                }
            }
        return largest;
    }
};

// The limit is twice the measured error, which is written beside the kernel.
TEST_P(RmsNorm, IsAccurate) {
    largest_error(0.0F, 1.0F).expect_at_most(4.7e-7, "relative error");
}

TEST_P(RmsNorm, IsAccurateForLargeValues) {
    largest_error(1e4F, 1e4F).expect_at_most(4.7e-7, "relative error");
}

TEST_P(RmsNorm, IsAccurateForSmallValues) {
    largest_error(0.0F, 1e-3F).expect_at_most(4.7e-7, "relative error");
}

TEST_P(RmsNorm, EpsIsInsideTheRoot) {
    const std::vector<float> x = {-1e-3F, 1e-3F};
    const std::vector<float> ones = {1.0F, 1.0F};
    std::vector<float> y(2);
    GetParam()->rms_norm(rows_of(x.data(), 1, 2, 2), row_major(y.data(), 1, 2, 2),
                         {ones.data(), nullptr, 3e-6F});
    EXPECT_NEAR(y[1], 0.5, 1e-6);  // mean of squares 1e-6: 1e-3 / sqrt(4e-6)
    EXPECT_NEAR(y[0], -0.5, 1e-6);
}

// A row has the same bits alone or among others, at any address and stride, in place or not.
TEST_P(RmsNorm, RowDoesNotDependOnPlace) {
    constexpr std::size_t rows = 3;
    for (const std::size_t cols : lengths()) {
        const std::vector<float> x = normal_numbers(rows * cols, 0.5F, 2.0F);
        std::vector<float> alone(rows * cols);
        for (std::size_t r = 0; r < rows; ++r)
            run(x.data() + r * cols, cols, alone.data() + r * cols, cols, 1, cols);
        for (const std::size_t misalignment : {0, 1, 5, 11})
            for (const std::size_t gap : {0, 1, 6}) {
                const std::size_t stride = cols + gap;
                GuardedFloats in(rows * stride - gap, misalignment);
                GuardedFloats out(rows * stride - gap, misalignment / 2);
                for (std::size_t r = 0; r < rows; ++r)
                    std::memcpy(in.data() + r * stride, x.data() + r * cols, cols * sizeof(float));
                const auto expect_alone = [&](GuardedFloats& found) {
                    for (std::size_t r = 0; r < rows; ++r) {
                        ASSERT_TRUE(
                            same_bits(found.data() + r * stride, alone.data() + r * cols, cols))
                            << cols << " " << misalignment << " " << gap;
                        for (std::size_t i = cols; i < stride && r + 1 < rows; ++i)
                            ASSERT_TRUE(GuardedFloats::is_guard(found[r * stride + i]));
                    }
                };
                run(in.data(), stride, out.data(), stride, rows, cols);
                expect_alone(out);
                run(in.data(), stride, in.data(), stride, rows, cols);
                expect_alone(in);
                ASSERT_TRUE(in.intact() && out.intact());
            }
    }
}

TEST_P(RmsNorm, NanReachesTheWholeRowAndNoOther) {
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

TEST_P(RmsNorm, NothingToDo) {
    GuardedFloats x(4);
    run(x.data(), 4, x.data(), 4, 0, 4);
    run(x.data(), 0, x.data(), 0, 1, 0);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(GuardedFloats::is_guard(x[i]));
}

INSTANTIATE_TEST_SUITE_P(Isa, RmsNorm, testing::ValuesIn(available_tables()), table_name);

}  // namespace
}  // namespace vit::kernels
