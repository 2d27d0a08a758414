#include <algorithm>

#include "tests/unit/kernels/kernels_test.h"

namespace vit::kernels {
namespace {

class Rows : public EveryTable {};

TEST_P(Rows, AddingOnceIsExact) {
    constexpr std::size_t rows = 3;
    for (const std::size_t cols : lengths())
        for (const std::size_t misalignment : {0, 1, 5, 11})
            for (const std::size_t gap : {0, 1, 6}) {
                const std::size_t stride = cols + gap;
                const std::vector<float> a = normal_numbers(rows * cols, 0.0F, 1.0F, 1);
                const std::vector<float> y = normal_numbers(rows * stride, 0.0F, 9.0F, 2);
                GuardedFloats x(rows * stride - gap, misalignment);
                for (std::size_t r = 0; r < rows; ++r)
                    std::memcpy(x.data() + r * stride, a.data() + r * cols, cols * sizeof(float));
                GetParam()->add_scaled(rows_of(y.data() + gap, rows, cols, stride - gap), 1.0F,
                                       row_major(x.data(), rows, cols, stride));
                for (std::size_t r = 0; r < rows; ++r) {
                    for (std::size_t i = 0; i < cols; ++i)
                        ASSERT_TRUE(
                            same_bits(x[r * stride + i], a[r * cols + i] + y[gap + r * cols + i]))
                            << cols << " " << misalignment << " " << gap;
                    for (std::size_t i = cols; i < stride && r + 1 < rows; ++i)
                        ASSERT_TRUE(GuardedFloats::is_guard(x[r * stride + i]));
                }
                ASSERT_TRUE(x.intact());
            }
}

TEST_P(Rows, AddScaledIsAccurate) {
    LargestError largest;
    for (const std::size_t cols : lengths())
        for (const float factor : {-0.7F, 0.0F, 3.1F}) {
            const std::vector<float> a = normal_numbers(cols, 0.0F, 1.0F, 1);
            const std::vector<float> y = normal_numbers(cols, 0.0F, 1.0F, 2);
            GuardedFloats x(cols, cols % 13);
            x.assign(a);
            GetParam()->add_scaled(rows_of(y.data(), 1, cols, cols), factor,
                                   row_major(x.data(), 1, cols, cols));
            ASSERT_TRUE(x.intact());
            for (std::size_t i = 0; i < cols; ++i) {
                const double product = static_cast<double>(factor) * y[i];
                largest.note(std::abs(x[i] - (a[i] + product)) /
                                 (std::abs(static_cast<double>(a[i])) + std::abs(product)),
                             static_cast<double>(cols));
            }
        }
    // The product and the sum are rounded separately, or once together.
    largest.expect_at_most(1.2e-7, "relative error");
}

TEST_P(Rows, MultiplyIsExact) {
    constexpr std::size_t rows = 3;
    for (const std::size_t cols : lengths())
        for (const std::size_t misalignment : {0, 5})
            for (const std::size_t gap : {0, 1, 6}) {
                const std::size_t stride = cols + gap;
                const std::vector<float> a = normal_numbers(rows * stride, 0.0F, 1.0F, 1);
                const std::vector<float> b = normal_numbers(rows * cols, 0.0F, 9.0F, 2);
                GuardedFloats x(rows * stride - gap, misalignment);
                GetParam()->multiply(rows_of(a.data(), rows, cols, stride),
                                     rows_of(b.data(), rows, cols, cols),
                                     row_major(x.data(), rows, cols, stride));
                for (std::size_t r = 0; r < rows; ++r) {
                    for (std::size_t i = 0; i < cols; ++i)
                        ASSERT_TRUE(
                            same_bits(x[r * stride + i], a[r * stride + i] * b[r * cols + i]))
                            << cols << " " << misalignment << " " << gap;
                    for (std::size_t i = cols; i < stride && r + 1 < rows; ++i)
                        ASSERT_TRUE(GuardedFloats::is_guard(x[r * stride + i]));
                }
                ASSERT_TRUE(x.intact());
                std::vector<float> in_place = b;
                GetParam()->multiply(rows_of(in_place.data(), rows, cols, cols),
                                     rows_of(a.data(), rows, cols, stride),
                                     row_major(in_place.data(), rows, cols, cols));
                for (std::size_t r = 0; r < rows; ++r)
                    ASSERT_TRUE(same_bits(in_place.data() + r * cols, x.data() + r * stride, cols));
            }
}

TEST_P(Rows, MaxIsThePlainLoop) {
    for (const std::size_t cols : lengths())
        for (const std::size_t rows : {1, 2, 7, 196})
            for (const std::size_t gap : {0, 5}) {
                const std::size_t stride = cols + gap;
                const std::vector<float> in = normal_numbers(rows * stride, -5.0F, 1.0F);
                GuardedFloats out(cols, rows % 13);
                GetParam()->max_rows(rows_of(in.data(), rows, cols, stride), out.data());
                for (std::size_t c = 0; c < cols; ++c) {
                    float most = in[c];
                    for (std::size_t r = 1; r < rows; ++r)
                        most = std::max(most, in[r * stride + c]);
                    ASSERT_TRUE(same_bits(out[c], most)) << rows << "x" << cols << " at " << c;
                }
                ASSERT_TRUE(out.intact());
            }
}

TEST_P(Rows, MaxKeepsNaN) {
    constexpr std::size_t rows = 3;
    for (const std::size_t cols : {1, 7, 70})
        for (std::size_t bad = 0; bad < rows; ++bad) {
            std::vector<float> in = normal_numbers(rows * cols);
            in[bad * cols] = std::nanf("");
            std::vector<float> out(cols);
            GetParam()->max_rows(rows_of(in.data(), rows, cols, cols), out.data());
            EXPECT_TRUE(std::isnan(out[0]));
            for (std::size_t c = 1; c < cols; ++c) EXPECT_TRUE(std::isfinite(out[c]));
        }
}

// The kernel sums in row order and then divides, exactly like a plain loop.
TEST_P(Rows, MeanIsThePlainLoop) {
    for (const std::size_t cols : lengths())
        for (const std::size_t rows : {1, 2, 7, 196})
            for (const std::size_t gap : {0, 5}) {
                const std::size_t stride = cols + gap;
                const std::vector<float> in = normal_numbers(rows * stride, 1.0F, 3.0F);
                GuardedFloats out(cols, rows % 13);
                GetParam()->mean_rows(rows_of(in.data(), rows, cols, stride), out.data());
                for (std::size_t c = 0; c < cols; ++c) {
                    float sum = 0.0F;
                    for (std::size_t r = 0; r < rows; ++r) sum += in[r * stride + c];
                    ASSERT_TRUE(same_bits(out[c], sum / static_cast<float>(rows)))
                        << rows << "x" << cols << " at " << c;
                }
                ASSERT_TRUE(out.intact());
            }
}

TEST_P(Rows, NothingToDo) {
    GuardedFloats x(4);
    const Matrix<const float> no_rows = rows_of(x.data(), 0, 4, 4),
                              no_columns = rows_of(x.data(), 2, 0, 0);
    const Matrix<float> to_no_rows = row_major(x.data(), 0, 4, 4),
                        to_no_columns = row_major(x.data(), 2, 0, 0);
    GetParam()->add_scaled(no_rows, 2.0F, to_no_rows);
    GetParam()->add_scaled(no_columns, 2.0F, to_no_columns);
    GetParam()->multiply(no_rows, no_rows, to_no_rows);
    GetParam()->multiply(no_columns, no_columns, to_no_columns);
    GetParam()->max_rows(no_columns, x.data());
    GetParam()->mean_rows(no_columns, x.data());
    for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(GuardedFloats::is_guard(x[i]));
}

INSTANTIATE_TEST_SUITE_P(Isa, Rows, testing::ValuesIn(available_tables()), table_name);

}  // namespace
}  // namespace vit::kernels
