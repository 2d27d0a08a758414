// Kernels on bfloat16, against float64 arithmetic on the same rounded inputs.
#include <algorithm>

#include "tests/unit/kernels/kernels_test.h"
#include "weights/model_file/tensor.h"

namespace vit::kernels {
namespace {

constexpr double unit_roundoff = 0x1p-8;  ///< 8 significant bits

const Bf16Table* table() {
    return bf16_table_for(Isa::avx512);
}

std::vector<BFloat16> narrow(const std::vector<float>& x) {
    std::vector<BFloat16> out(x.size());
    std::ranges::transform(x, out.begin(), to_bf16);
    return out;
}

class Bf16Kernels : public testing::Test {
  protected:
    void SetUp() override {
        if (table() == nullptr) GTEST_SKIP() << "this CPU has no AVX512_BF16";
    }
};

TEST_F(Bf16Kernels, RoundsAsThePortableFunctionDoes) {
    std::vector<float> x{0.0F,     -0.0F,     1.0F,       1.00390625F, 1.01171875F, 3.4e38F,
                         -3.4e38F, HUGE_VALF, -HUGE_VALF, 1e-30F,      65504.0F};
    for (float y : normal_numbers(1000)) x.push_back(y);
    for (std::size_t count = 1; count <= 40; ++count) {
        std::vector<BFloat16> out(count + 1, 7);
        table()->round(x.data(), out.data(), count);
        for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(out[i], to_bf16(x[i])) << x[i];
        EXPECT_EQ(out[count], 7) << "wrote past the end";
    }
    std::vector<BFloat16> out(x.size());
    table()->round(x.data(), out.data(), x.size());
    EXPECT_EQ(out, narrow(x));
    const float nan = std::nanf("");
    table()->round(&nan, out.data(), 1);
    EXPECT_TRUE(std::isnan(from_bf16(out[0])));
}

TEST_F(Bf16Kernels, LayerNormIsTheFloat32OneRounded) {
    const Table& f32 = *table_for(Isa::avx512);
    for (const std::size_t cols : lengths()) {
        const std::vector<float> in = normal_numbers(2 * cols, 0.5F, 2.0F),
                                 gamma = normal_numbers(cols, 1.0F, 0.1F, 2),
                                 beta = normal_numbers(cols, 0.0F, 0.1F, 3);
        std::vector<float> wide(2 * cols);
        f32.layer_norm(in.data(), cols, wide.data(), cols, 2, cols, gamma.data(), beta.data(),
                       1e-6F);
        std::vector<BFloat16> out(2 * cols + 1, 7);
        table()->layer_norm(in.data(), cols, out.data(), cols, 2, cols, gamma.data(), beta.data(),
                            1e-6F);
        EXPECT_EQ(out.back(), 7) << "wrote past the end";
        out.pop_back();
        EXPECT_EQ(out, narrow(wide)) << cols;
    }
}

TEST_F(Bf16Kernels, RmsNormAndProductsAreTheFloat32OnesRounded) {
    const Table& f32 = *table_for(Isa::avx512);
    for (const std::size_t cols : lengths()) {
        const std::vector<float> in = normal_numbers(2 * cols, 0.5F, 2.0F),
                                 gamma = normal_numbers(cols, 1.0F, 0.1F, 2),
                                 other = normal_numbers(2 * cols, 0.0F, 3.0F, 3);
        std::vector<float> wide(2 * cols);
        std::vector<BFloat16> out(2 * cols + 1, 7);
        const auto expect_rounded = [&](const char* name) {
            EXPECT_EQ(out.back(), 7) << name << " wrote past the end";
            EXPECT_EQ(std::vector(out.begin(), out.end() - 1), narrow(wide)) << name << cols;
        };
        f32.rms_norm(in.data(), cols, wide.data(), cols, 2, cols, gamma.data(), 1e-6F);
        table()->rms_norm(in.data(), cols, out.data(), cols, 2, cols, gamma.data(), 1e-6F);
        expect_rounded("rms_norm ");
        f32.multiply(in.data(), cols, other.data(), cols, wide.data(), cols, 2, cols);
        table()->multiply(in.data(), cols, other.data(), cols, out.data(), cols, 2, cols);
        expect_rounded("multiply ");
    }
}

TEST_F(Bf16Kernels, ActivationsAreTheFloat32OnesRounded) {
    const Table& f32 = *table_for(Isa::avx512);
    const auto check = [&](const char* name, auto wide_kernel, auto kernel, double tolerance) {
        LargestError error;
        std::vector<float> x;
        for (float v = -12.0F; v < 12.0F; v += 0.0037F) x.push_back(from_bf16(to_bf16(v)));
        for (const std::size_t count :
             {std::size_t{1}, std::size_t{15}, std::size_t{33}, x.size()}) {
            std::vector<float> wide(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(count));
            std::vector<BFloat16> y = narrow(wide);
            y.push_back(7);
            wide_kernel(wide.data(), count);
            kernel(y.data(), count);
            EXPECT_EQ(y.back(), 7) << name << " wrote past the end";
            for (std::size_t i = 0; i < count; ++i)
                error.note(std::abs(from_bf16(y[i]) - wide[i]) / std::max(0.01F, std::abs(wide[i])),
                           x[i]);
        }
        error.expect_at_most(tolerance, name);
    };
    const Activations<float>& a = f32.activations;
    const Activations<BFloat16>& b = table()->activations;
    check("gelu", a.gelu, b.gelu, unit_roundoff + 2e-4);
    check("gelu_tanh", a.gelu_tanh, b.gelu_tanh, unit_roundoff);
    check("quick_gelu", a.quick_gelu, b.quick_gelu, unit_roundoff);
    check("silu", a.silu, b.silu, unit_roundoff);
    check("relu", a.relu, b.relu, 0);
    check("tanh", a.tanh, b.tanh, unit_roundoff);
}

struct Shape {
    std::size_t rows, keys, heads, head_dim, value_dim;
};
const Shape shapes[] = {{1, 1, 1, 2, 2},       {5, 7, 2, 4, 4},     {1, 197, 12, 64, 64},
                        {197, 197, 2, 64, 64}, {50, 50, 3, 32, 32}, {26, 65, 2, 80, 80},
                        {13, 33, 1, 72, 72},   {25, 17, 4, 20, 20}, {30, 48, 2, 32, 64},
                        {9, 49, 2, 88, 88},    {24, 16, 1, 104, 52}};

struct Tensors {
    std::vector<BFloat16> q, k, v, packed_k, packed_v;
};

/// Packed in three parts, as threads do, odd boundaries included.
Tensors make(const Shape& s) {
    const std::size_t width = s.heads * s.head_dim, value_width = s.heads * s.value_dim;
    const AttentionKernels<BFloat16>& a = table()->attention;
    Tensors t{narrow(normal_numbers(s.rows * width, 0, 1, 1)),
              narrow(normal_numbers(s.keys * width, 0, 1, 2)),
              narrow(normal_numbers(s.keys * value_width, 0, 1, 3)),
              // NaN: nothing may be read that was not packed.
              std::vector<BFloat16>(s.heads * a.packed_keys(s.keys, s.head_dim), 0x7fff),
              std::vector<BFloat16>(s.heads * a.packed_values(s.keys, s.value_dim), 0x7fff)};
    const std::size_t bounds[] = {0, s.keys / 3, s.keys / 3 + s.keys / 2, s.keys};
    for (std::size_t part = 0; part < 3; ++part) {
        const std::size_t first = bounds[part], count = bounds[part + 1] - first;
        a.pack_keys(t.k.data() + first * width, width, first, count, s.keys, s.heads, s.head_dim,
                    t.packed_k.data());
        a.pack_values(t.v.data() + first * value_width, value_width, first, count, s.keys, s.heads,
                      s.value_dim, t.packed_v.data());
    }
    return t;
}

std::vector<BFloat16> attend(const Shape& s, const Tensors& t, std::size_t first,
                             std::size_t rows) {
    const AttentionKernels<BFloat16>& a = table()->attention;
    const std::size_t width = s.heads * s.head_dim, value_width = s.heads * s.value_dim;
    GuardedFloats workspace(a.tile_rows * ((s.keys + a.panel - 1) / a.panel * a.panel));
    std::vector<BFloat16> out(rows * value_width);
    a.attend(t.q.data() + first * width, width, rows, t.packed_k.data(), t.packed_v.data(), s.keys,
             s.heads, s.head_dim, s.value_dim, 1.0F / std::sqrt(static_cast<float>(s.head_dim)),
             out.data(), value_width, workspace.data());
    EXPECT_TRUE(workspace.intact());
    return out;
}

TEST_F(Bf16Kernels, AttentionIsAccurate) {
    LargestError error;
    for (const Shape& s : shapes) {
        const Tensors t = make(s);
        const std::vector<BFloat16> out = attend(s, t, 0, s.rows);
        for (std::size_t h = 0; h < s.heads; ++h)
            for (std::size_t r = 0; r < s.rows; ++r) {
                std::vector<double> weights(s.keys);
                for (std::size_t key = 0; key < s.keys; ++key)
                    for (std::size_t d = 0; d < s.head_dim; ++d)
                        weights[key] += static_cast<double>(
                                            from_bf16(t.q[(r * s.heads + h) * s.head_dim + d])) *
                                        from_bf16(t.k[(key * s.heads + h) * s.head_dim + d]) /
                                        std::sqrt(static_cast<double>(s.head_dim));
                const double max = *std::ranges::max_element(weights);
                double sum = 0;
                for (double& w : weights) sum += w = std::exp(w - max);
                for (std::size_t c = 0; c < s.value_dim; ++c) {
                    double value = 0, magnitude = 0;
                    for (std::size_t key = 0; key < s.keys; ++key) {
                        const double term = weights[key] / sum *
                                            from_bf16(t.v[(key * s.heads + h) * s.value_dim + c]);
                        value += term;
                        magnitude += std::abs(term);
                    }
                    error.note(
                        std::abs(from_bf16(out[(r * s.heads + h) * s.value_dim + c]) - value) /
                            magnitude,
                        static_cast<double>(s.keys));
                }
            }
    }
    // Most of it from rounding the result.
    error.expect_at_most(0x1p-8, "error");
}

TEST_F(Bf16Kernels, AttentionOfARowDoesNotDependOnItsBlock) {
    for (const Shape& s : shapes) {
        const Tensors t = make(s);
        const std::vector<BFloat16> whole = attend(s, t, 0, s.rows);
        for (const std::size_t block : {1, 2, 5, 11, 12, 13, 24, 98})
            for (std::size_t first = 0; first < s.rows; first += block) {
                const std::vector<BFloat16> part =
                    attend(s, t, first, std::min(block, s.rows - first));
                ASSERT_TRUE(std::equal(
                    part.begin(), part.end(),
                    whole.begin() + static_cast<std::ptrdiff_t>(first * s.heads * s.value_dim)))
                    << s.keys << " keys, blocks of " << block;
            }
    }
}

}  // namespace
}  // namespace vit::kernels
