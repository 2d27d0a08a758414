// Tests our own float32 linear layers on the vectors that have them, on a CPU of any maker.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

#include "engine/base/aligned_buffer.h"
#include "engine/kernels/dispatch.h"
#include "engine/ops/fused_linear.h"
#include "tests/support/models.h"
#include "tests/unit/ops/float64_linear.h"

namespace vit {
namespace {

/// The rows of x in the layout of the executor. Elements that a linear layer must not read are NaN.
std::vector<float> padded(const std::vector<float>& values, std::int64_t rows, std::int64_t cols) {
    const std::int64_t stride = row_stride(cols);
    std::vector<float> x(static_cast<std::size_t>(rows * stride), NAN);
    for (std::int64_t r = 0; r < rows; ++r)
        std::copy_n(values.begin() + r * cols, cols, x.begin() + r * stride);
    return x;
}

/// A packed linear layer with random weights.
struct Case {
    std::int64_t in, out;
    std::vector<float> weight, bias;
    FusedLinear<float> linear;
    AlignedBuffer packed;

    Case(std::int64_t in_, std::int64_t out_)
        : in(in_),
          out(out_),
          weight(test::random_values("weight", in * out)),
          bias(test::random_values("bias", out)),
          linear(kernels::avx512_table_of({.vendor = CpuVendor::intel}), in, out),
          packed(linear.packed_bytes()) {
        linear.set(bias, {}, packed.data());
        linear.pack({weight.data(), DType::f32}, {}, packed.data());
    }

    /// Computes these columns of y [rows, row_stride(out)] from x [rows, row_stride(in)].
    void run(const std::vector<float>& x, Columns columns, std::vector<float>& y,
             kernels::FusedLinears<float>::Run function, const float* residual = nullptr) {
        const std::int64_t rows = static_cast<std::int64_t>(x.size()) / row_stride(in),
                           stride = row_stride(out);
        const std::size_t floats = linear.workspace_bytes(rows, columns) / sizeof(float);
        const AlignedBuffer workspace((floats + 64) * sizeof(float));
        linear
            .bind(
                function, columns,
                kernels::row_major(x.data(), static_cast<std::size_t>(rows),
                                   static_cast<std::size_t>(in),
                                   static_cast<std::size_t>(row_stride(in))),
                {.y = y.data(), .stride = stride, .residual = residual, .residual_stride = stride},
                workspace.floats())
            .execute();
        for (std::size_t i = 0; i < 64; ++i)
            ASSERT_EQ(workspace.floats()[floats + i], 0) << "written behind the workspace";
    }
    std::vector<float> run(const std::vector<float>& x) {
        const std::int64_t rows = static_cast<std::int64_t>(x.size()) / row_stride(in);
        std::vector<float> y(static_cast<std::size_t>(rows * row_stride(out)), 7.0f);
        run(x, linear.columns(), y, linear.kernels().none);
        return y;
    }
};

class VectorLinear : public testing::Test {
  protected:
    void SetUp() override {
        if (kernels::table_for(kernels::Isa::avx512) == nullptr)
            GTEST_SKIP() << "this CPU lacks AVX-512";
    }
};

TEST_F(VectorLinear, AgreesWithFloat64) {
    for (const auto& [in, out] :
         {std::pair{768, 96}, {40, 72}, {33, 7}, {588, 64}, {1, 1}, {1600, 49}})
        for (const std::int64_t rows : {1, 7, 8, 17, 50}) {
            SCOPED_TRACE(std::to_string(rows) + " rows, " + std::to_string(in) + " to " +
                         std::to_string(out));
            Case c(in, out);
            const std::vector<float> values = test::random_values("x", rows * in);
            const std::vector<float> y = c.run(padded(values, rows, in));
            test::expect_float64_linear(y, values, c.weight, c.bias, rows);
        }
}

TEST_F(VectorLinear, FinishesAsTheKernelsForRowsDo) {
    constexpr std::int64_t rows = 37, in = 70, out = 90;
    Case c(in, out);
    const std::vector<float> x = padded(test::random_values("x", rows * in), rows, in);
    const std::vector<float> product = c.run(x),
                             residual = test::random_values("residual", rows * row_stride(out));
    // The residual and the output may be the same memory.
    std::vector<float> added = residual;
    c.run(x, c.linear.columns(), added, c.linear.kernels().none, added.data());
    for (std::size_t i = 0; i < added.size(); ++i) ASSERT_EQ(added[i], residual[i] + product[i]);

    const auto& f = c.linear.kernels();
    const auto& a = kernels::avx512_table_of({.vendor = CpuVendor::intel}).activations;
    const std::pair<kernels::FusedLinears<float>::Run, void (*)(float*, std::size_t)> functions[] =
        {{f.gelu, a.gelu}, {f.gelu_tanh, a.gelu_tanh}, {f.quick_gelu, a.quick_gelu},
         {f.silu, a.silu}, {f.relu, a.relu},           {f.tanh, a.tanh}};
    for (const auto& [run, activation] : functions) {
        std::vector<float> expected = product, found(product.size());
        activation(expected.data(), expected.size());
        c.run(x, c.linear.columns(), found, run);
        ASSERT_EQ(found, expected);
    }
}

TEST_F(VectorLinear, GivesARowTheSameBitsAmongAnyOthers) {
    constexpr std::int64_t rows = 600;  // more than a kernel processes at once
    for (const auto& [in, out] : {std::pair{768, 64}, {1600, 40}, {40, 72}}) {
        Case c(in, out);
        const std::vector<float> x = padded(test::random_values("x", rows * in), rows, in);
        const std::vector<float> expected = c.run(x);
        for (const std::int64_t count : {1, 2, 3, 5, 7, 8, 9, 98, 99, 197, 256, 257})
            for (const std::int64_t first : {std::int64_t{0}, std::int64_t{199}, rows - count}) {
                const auto begin = x.begin() + first * row_stride(in);
                const std::vector<float> part =
                    c.run(std::vector<float>(begin, begin + count * row_stride(in)));
                ASSERT_EQ(std::memcmp(part.data(), expected.data() + first * row_stride(out),
                                      part.size() * sizeof(float)),
                          0)
                    << count << " rows from " << first << ", " << in << " to " << out;
            }
    }
}

TEST_F(VectorLinear, GivesColumnsTheBitsOfTheWhole) {
    for (const auto& [in, out] : {std::pair{768, 200}, {1600, 130}, {100, 1000}}) {
        Case c(in, out);
        const std::vector<float> x = padded(test::random_values("x", 20 * in), 20, in);
        const std::vector<float> expected = c.run(x);
        for (const std::int64_t parts : {1, 2, 3, 5, 16, 40}) {
            std::vector<float> y(expected.size());
            std::int64_t next = 0;
            for (std::int64_t part = 0; part < parts; ++part) {
                const Columns columns = c.linear.columns(part, part + 1, parts);
                EXPECT_EQ(columns.first, next);
                next = columns.last;
                if (columns.count() > 0) c.run(x, columns, y, c.linear.kernels().none);
            }
            EXPECT_EQ(next, row_stride(out));
            EXPECT_EQ(y, expected) << parts << " parts of " << out;
        }
    }
}

TEST_F(VectorLinear, ScalesOutputs) {
    constexpr std::int64_t rows = 3, in = 50, out = 20;
    Case plain(in, out), scaled(in, out);
    const std::vector<float> scale(out, 0.5f);  // the product is exact
    scaled.linear.set(scaled.bias, scale, scaled.packed.data());
    scaled.linear.pack({scaled.weight.data(), DType::f32}, scale, scaled.packed.data());
    const std::vector<float> x = padded(test::random_values("x", rows * in), rows, in);
    std::vector<float> expected = plain.run(x);
    for (float& y : expected) y *= 0.5f;
    EXPECT_EQ(scaled.run(x), expected);
}

}  // namespace
}  // namespace vit
