#include "tests/unit/kernels/kernels_test.h"

namespace vit::kernels {
namespace {

class Rows : public EveryTable {};

TEST_P(Rows, AddIsExact) {
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
                GetParam()->add(x.data(), stride, y.data() + gap, stride - gap, rows, cols);
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

// Summed in row order, then divided: the very operations of the plain loop.
TEST_P(Rows, MeanIsThePlainLoop) {
    for (const std::size_t cols : lengths())
        for (const std::size_t rows : {1, 2, 7, 196})
            for (const std::size_t gap : {0, 5}) {
                const std::size_t stride = cols + gap;
                const std::vector<float> in = normal_numbers(rows * stride, 1.0F, 3.0F);
                GuardedFloats out(cols, rows % 13);
                GetParam()->mean_rows(in.data(), stride, rows, cols, out.data());
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
    GetParam()->add(x.data(), 4, x.data(), 4, 0, 4);
    GetParam()->add(x.data(), 0, x.data(), 0, 2, 0);
    GetParam()->mean_rows(x.data(), 0, 2, 0, x.data());
    for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(GuardedFloats::is_guard(x[i]));
}

INSTANTIATE_TEST_SUITE_P(Isa, Rows, testing::ValuesIn(available_tables()), table_name);

}  // namespace
}  // namespace vit::kernels
