// Compares kernels on bfloat16 with float64 arithmetic on the same rounded inputs.
#include <gmock/gmock.h>

#include <algorithm>

#include "engine/kernels/dispatch.h"
#include "engine/kernels/isa_tables.h"
#include "engine/kernels/tile_state.h"
#include "engine/model/tensor.h"
#include "tests/support/plain_tiles.h"
#include "tests/unit/kernels/kernels_test.h"

namespace vit::kernels {
namespace {

constexpr double unit_roundoff = 0x1p-8;  ///< 8 significant bits

/// A table of bfloat16 kernels that this CPU can run, with the float32 kernels for the same
/// vectors.
struct Kernels {
    std::string name;
    const Table* f32;
    const Bf16Table* bf16;
};

std::vector<Kernels> all_kernels() {
    std::vector<Kernels> all;
    for (const Isa isa : all_isas)
        if (const Bf16Table* bf16 = bf16_table_for(isa))
            all.push_back({isa_name(isa), table_for(isa), bf16});
    if (bf16_table_for(Isa::avx512) != nullptr)
        for (const auto& [name, bf16] : {std::pair{"products_of_bf16", &avx512_bf16_table},
                                         {"products_of_f32", &avx512_bf16_f32_attention_table}})
            if (bf16 != bf16_table_for(Isa::avx512))
                all.push_back({name, table_for(Isa::avx512), bf16});
    for (const test::PlainTileKernels& plain : test::plain_tile_kernels())
        all.push_back({plain.name, &plain.f32, &plain.bf16});
    return all;
}

std::vector<BFloat16> narrow(const std::vector<float>& x) {
    std::vector<BFloat16> out(x.size());
    std::ranges::transform(x, out.begin(), to_bf16);
    return out;
}

class Bf16Kernels : public testing::TestWithParam<Kernels> {
  protected:
    const Table& f32() const { return *GetParam().f32; }
    const Bf16Table& bf16() const { return *GetParam().bf16; }

    TileScope tiles_{GetParam().bf16->linears != nullptr && GetParam().bf16->linears->registers};
};

INSTANTIATE_TEST_SUITE_P(Tables, Bf16Kernels, testing::ValuesIn(all_kernels()),
                         [](const auto& kernels) { return kernels.param.name; });

/// Memory for rows of bfloat16 that a kernel writes: one row after another, or in panels in which
/// row 0 can be at any place.
class Output {
  public:
    Output(std::size_t rows, std::size_t cols, bool panels, std::size_t first = 0)
        : rows_(rows),
          cols_(cols),
          memory_(
              panels ? (first + rows + 31) / 32 * 32 * ((cols + 31) / 32 * 32) : rows * cols + 1,
              unwritten),
          matrix_(panels ? in_panels(memory_.data(), rows, cols, first)
                         : row_major(memory_.data(), rows, cols, cols)) {}

    const Matrix<BFloat16>& matrix() const { return matrix_; }
    /// The written values, row by row.
    std::vector<BFloat16> values() const {
        std::vector<BFloat16> all;
        for (std::size_t r = 0; r < rows_; ++r)
            for (std::size_t c = 0; c < cols_; ++c) all.push_back(memory_[place(r, c)]);
        return all;
    }
    /// True if nothing else was written.
    bool intact() const {
        std::vector<BFloat16> rest = memory_;
        for (std::size_t r = 0; r < rows_; ++r)
            for (std::size_t c = 0; c < cols_; ++c) rest[place(r, c)] = unwritten;
        return std::ranges::all_of(rest, [](BFloat16 x) { return x == unwritten; });
    }

  private:
    static constexpr BFloat16 unwritten = 0x7ed5;
    std::size_t place(std::size_t r, std::size_t c) const {
        const std::size_t row = matrix_.first + r;
        return row / 32 * matrix_.panel + row % 32 * matrix_.row + c / 32 * matrix_.segment +
               c % 32;
    }

    std::size_t rows_, cols_;
    std::vector<BFloat16> memory_;
    Matrix<BFloat16> matrix_;
};

TEST_P(Bf16Kernels, RoundsAsThePortableFunctionDoes) {
    std::vector<float> x{0.0F,     -0.0F,     1.0F,       1.00390625F, 1.01171875F, 3.4e38F,
                         -3.4e38F, HUGE_VALF, -HUGE_VALF, 1e-30F,      65504.0F,    0x1p-126F};
    for (float y : normal_numbers(1000)) x.push_back(y);
    for (std::size_t count = 1; count <= 40; ++count) {
        Output out(1, count, false);
        bf16().round(rows_of(x.data(), 1, count, count), out.matrix());
        EXPECT_EQ(out.values(),
                  narrow({x.begin(), x.begin() + static_cast<std::ptrdiff_t>(count)}));
        EXPECT_TRUE(out.intact());
    }
    Output all(1, x.size(), false);
    bf16().round(rows_of(x.data(), 1, x.size(), x.size()), all.matrix());
    EXPECT_EQ(all.values(), narrow(x));
    const std::vector<float> special{std::nanf(""), 0x1p-127F, -0x1p-127F, 0x1p-149F};
    Output out(1, 4, false);
    bf16().round(rows_of(special.data(), 1, 4, 4), out.matrix());
    EXPECT_TRUE(std::isnan(from_bf16(out.values()[0])));
    EXPECT_THAT((std::vector{out.values()[1], out.values()[2], out.values()[3]}),
                testing::ElementsAre(0, 0x8000, 0))
        << "subnormal numbers";
}

TEST_P(Bf16Kernels, RowsAreTheFloat32OnesRounded) {
    constexpr std::size_t rows = 3;
    for (const std::size_t cols : lengths()) {
        const std::vector<float> in = normal_numbers(rows * cols, 0.5F, 2.0F),
                                 gamma = normal_numbers(cols, 1.0F, 0.1F, 2),
                                 beta = normal_numbers(cols, 0.0F, 0.1F, 3),
                                 other = normal_numbers(rows * cols, 0.0F, 3.0F, 4);
        std::vector<float> wide(rows * cols);
        const auto expect_rounded = [&](const char* name, auto kernel) {
            for (const auto& [panels, first] : {std::pair{false, 0}, {true, 0}, {true, 31}}) {
                Output out(rows, cols, panels, static_cast<std::size_t>(first));
                kernel(out.matrix());
                EXPECT_EQ(out.values(), narrow(wide)) << name << ' ' << cols << ' ' << panels;
                EXPECT_TRUE(out.intact()) << name << ' ' << cols << ' ' << panels;
            }
        };
        const Matrix<const float> x = rows_of(in.data(), rows, cols, cols),
                                  y = rows_of(other.data(), rows, cols, cols);
        const Matrix<float> to = row_major(wide.data(), rows, cols, cols);
        const NormParameters norm{gamma.data(), beta.data(), 1e-6F};
        f32().layer_norm(x, to, norm);
        expect_rounded("layer_norm",
                       [&](const Matrix<BFloat16>& out) { bf16().layer_norm(x, out, norm); });
        f32().rms_norm(x, to, norm);
        expect_rounded("rms_norm",
                       [&](const Matrix<BFloat16>& out) { bf16().rms_norm(x, out, norm); });
        f32().multiply(x, y, to);
        expect_rounded("multiply",
                       [&](const Matrix<BFloat16>& out) { bf16().multiply(x, y, out); });
        wide = in;
        expect_rounded("round", [&](const Matrix<BFloat16>& out) { bf16().round(x, out); });
    }
}

TEST_P(Bf16Kernels, ActivationsAreTheFloat32OnesRounded) {
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
    const Activations<float>& a = f32().activations;
    const Activations<BFloat16>& b = bf16().activations;
    check("gelu", a.gelu, b.gelu, unit_roundoff + 2e-4);
    check("gelu_tanh", a.gelu_tanh, b.gelu_tanh, unit_roundoff);
    check("quick_gelu", a.quick_gelu, b.quick_gelu, unit_roundoff);
    check("silu", a.silu, b.silu, unit_roundoff);
    check("relu", a.relu, b.relu, 0);
    check("tanh", a.tanh, b.tanh, unit_roundoff);
}

struct Shape {
    std::size_t rows, keys, heads, head_dim, value_dim;

    AttentionSize size() const { return {keys, heads, head_dim, value_dim}; }
};
const Shape shapes[] = {{1, 1, 1, 2, 2},       {5, 7, 2, 4, 4},     {1, 197, 12, 64, 64},
                        {197, 197, 2, 64, 64}, {50, 50, 3, 32, 32}, {26, 65, 2, 80, 80},
                        {13, 33, 1, 72, 72},   {25, 17, 4, 20, 20}, {30, 48, 2, 32, 64},
                        {9, 49, 2, 88, 88},    {24, 16, 1, 104, 52}};

struct Tensors {
    std::vector<BFloat16> q, k, v, packed_k, packed_v;
};

/// Packs in three parts, as threads do. The boundaries may be odd.
Tensors make(const AttentionKernels<BFloat16>& a, const Shape& s) {
    const std::size_t width = s.heads * s.head_dim, value_width = s.heads * s.value_dim;
    Tensors t{narrow(normal_numbers(s.rows * width, 0, 1, 1)),
              narrow(normal_numbers(s.keys * width, 0, 1, 2)),
              narrow(normal_numbers(s.keys * value_width, 0, 1, 3)),
              // NaN shows if a kernel reads a place that was not packed.
              std::vector<BFloat16>(s.heads * a.packed_keys(s.keys, s.head_dim) / 2, 0x7fff),
              std::vector<BFloat16>(s.heads * a.packed_values(s.keys, s.value_dim) / 2, 0x7fff)};
    const std::size_t bounds[] = {0, s.keys / 3, s.keys / 3 + s.keys / 2, s.keys};
    for (std::size_t part = 0; part < 3; ++part) {
        const std::size_t first = bounds[part], count = bounds[part + 1] - first;
        a.pack_keys(row_major<const BFloat16>(t.k.data() + first * width, count, width, width),
                    first, s.size(), t.packed_k.data());
        a.pack_values(row_major<const BFloat16>(t.v.data() + first * value_width, count,
                                                value_width, value_width),
                      first, s.size(), t.packed_v.data());
    }
    return t;
}

/// With `panels`, queries and output are in panels, and their row `first` comes first.
std::vector<BFloat16> attend(const AttentionKernels<BFloat16>& a, const Shape& s, const Tensors& t,
                             std::size_t first, std::size_t rows, bool panels = false) {
    const std::size_t width = s.heads * s.head_dim, value_width = s.heads * s.value_dim;
    GuardedFloats workspace(a.workspace(s.keys, s.head_dim));
    Output out(rows, value_width, panels, first % 32);
    std::vector<BFloat16> q((s.rows + 31) / 32 * 32 * ((width + 31) / 32 * 32), 0x7fff);
    Matrix<const BFloat16> queries =
        row_major<const BFloat16>(t.q.data() + first * width, rows, width, width);
    if (panels) {
        for (std::size_t r = 0; r < s.rows; ++r)
            for (std::size_t c = 0; c < width; ++c)
                q[r / 32 * 32 * ((width + 31) / 32 * 32) + c / 32 * 1024 + r % 32 * 32 + c % 32] =
                    t.q[r * width + c];
        queries = in_panels<const BFloat16>(q.data(), rows, width, first);
    }
    a.attend(queries, {t.packed_k.data(), t.packed_v.data()}, s.size(),
             1.0F / std::sqrt(static_cast<float>(s.head_dim)), out.matrix(), workspace.data());
    EXPECT_TRUE(workspace.intact());
    EXPECT_TRUE(out.intact());
    return out.values();
}

TEST_P(Bf16Kernels, AttentionIsAccurate) {
    LargestError error;
    for (const Shape& s : shapes) {
        const Tensors t = make(bf16().attention, s);
        const std::vector<BFloat16> out = attend(bf16().attention, s, t, 0, s.rows);
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
    // Rounding the result causes most of this error.
    error.expect_at_most(0x1p-8, "error");
}

TEST_P(Bf16Kernels, AttentionOfARowDoesNotDependOnItsBlock) {
    for (const Shape& s : shapes) {
        const Tensors t = make(bf16().attention, s);
        const std::vector<BFloat16> whole = attend(bf16().attention, s, t, 0, s.rows);
        for (const std::size_t block : {1, 2, 5, 11, 12, 13, 24, 98})
            for (std::size_t first = 0; first < s.rows; first += block) {
                const std::size_t rows = std::min(block, s.rows - first);
                const auto expected =
                    whole.begin() + static_cast<std::ptrdiff_t>(first * s.heads * s.value_dim);
                for (const bool panels : {false, true}) {
                    if (panels && bf16().linears == nullptr) continue;
                    const std::vector<BFloat16> part =
                        attend(bf16().attention, s, t, first, rows, panels);
                    ASSERT_TRUE(std::equal(part.begin(), part.end(), expected))
                        << s.keys << " keys, blocks of " << block << ", in panels " << panels;
                }
            }
    }
}

}  // namespace
}  // namespace vit::kernels
