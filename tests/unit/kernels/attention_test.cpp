#include <algorithm>

#include "tests/unit/kernels/kernels_test.h"

namespace vit::kernels {
namespace {

struct Shape {
    std::size_t rows;
    std::size_t keys;
    std::size_t heads;
    std::size_t head_dim;
    std::size_t value_dim;

    AttentionSize size() const { return {keys, heads, head_dim, value_dim}; }
};

const Shape shapes[] = {{1, 1, 1, 1, 1},       {5, 7, 2, 3, 3},     {1, 197, 12, 64, 64},
                        {197, 197, 2, 64, 64}, {50, 50, 3, 32, 32}, {26, 65, 2, 80, 80},
                        {13, 33, 1, 72, 72},   {25, 17, 4, 20, 20}, {31, 197, 6, 32, 64},
                        {11, 19, 3, 10, 20},   {14, 9, 2, 17, 5}};

struct Tensors {
    std::vector<float> q;
    std::vector<float> k;
    std::vector<float> v;
    std::vector<float> packed_k;
    std::vector<float> packed_v;
};

Tensors make(const Table& table, const Shape& s) {
    const std::size_t width = s.heads * s.head_dim, value_width = s.heads * s.value_dim;
    Tensors t{normal_numbers(s.rows * width, 0.0F, 1.0F, 1),
              normal_numbers(s.keys * width, 0.0F, 1.0F, 2),
              normal_numbers(s.keys * value_width, 0.0F, 1.0F, 3),
              std::vector<float>(s.heads * table.attention.packed_keys(s.keys, s.head_dim) /
                                 sizeof(float)),
              std::vector<float>(s.heads * table.attention.packed_values(s.keys, s.value_dim) /
                                 sizeof(float))};
    // Packs in two parts, as two threads would.
    const std::size_t half = s.keys / 2;
    for (const auto& [first, count] : {std::pair{std::size_t{0}, half}, {half, s.keys - half}}) {
        table.attention.pack_keys(rows_of(t.k.data() + first * width, count, width, width), first,
                                  s.size(), t.packed_k.data());
        table.attention.pack_values(
            rows_of(t.v.data() + first * value_width, count, value_width, value_width), first,
            s.size(), t.packed_v.data());
    }
    return t;
}

void attend(const Table& table, const Shape& s, const Tensors& t, std::size_t first,
            std::size_t rows, float* out) {
    const std::size_t width = s.heads * s.head_dim;
    GuardedFloats workspace(table.attention.workspace(s.keys, s.head_dim));
    const std::size_t value_width = s.heads * s.value_dim;
    table.attention.attend(rows_of(t.q.data() + first * width, rows, width, width),
                           {t.packed_k.data(), t.packed_v.data()}, s.size(),
                           1.0F / std::sqrt(static_cast<float>(s.head_dim)),
                           row_major(out, rows, value_width, value_width), workspace.data());
    EXPECT_TRUE(workspace.intact());
}

std::vector<double> reference(const Shape& s, const Tensors& t) {
    const std::size_t width = s.heads * s.head_dim, value_width = s.heads * s.value_dim;
    std::vector<double> out(s.rows * value_width);
    std::vector<double> weights(s.keys);
    for (std::size_t h = 0; h < s.heads; ++h)
        for (std::size_t r = 0; r < s.rows; ++r) {
            const float* q = t.q.data() + r * width + h * s.head_dim;
            for (std::size_t key = 0; key < s.keys; ++key) {
                double dot = 0.0;
                for (std::size_t d = 0; d < s.head_dim; ++d)
                    dot += static_cast<double>(q[d]) * t.k[key * width + h * s.head_dim + d];
                weights[key] = dot / std::sqrt(static_cast<double>(s.head_dim));
            }
            const double max = *std::max_element(weights.begin(), weights.end());
            double sum = 0.0;
            for (double& w : weights) sum += w = std::exp(w - max);
            for (std::size_t d = 0; d < s.value_dim; ++d) {
                double value = 0.0;
                for (std::size_t key = 0; key < s.keys; ++key)
                    value += weights[key] * t.v[key * value_width + h * s.value_dim + d];
                out[r * value_width + h * s.value_dim + d] = value / sum;
            }
        }
    return out;
}

class AttentionKernel : public EveryTable {};

TEST_P(AttentionKernel, IsAccurate) {
    LargestError largest;
    for (const Shape& s : shapes) {
        const Tensors t = make(*GetParam(), s);
        GuardedFloats out(s.rows * s.heads * s.value_dim, 3);
        attend(*GetParam(), s, t, 0, s.rows, out.data());
        EXPECT_TRUE(out.intact());
        const std::vector<double> expected = reference(s, t);
        for (std::size_t i = 0; i < expected.size(); ++i)
            largest.note(std::abs(out[i] - expected[i]), static_cast<double>(s.keys));
    }
    largest.expect_at_most(1.3e-6, "error");
}

// A query row has the same bits alone or in a block of any size.
TEST_P(AttentionKernel, RowDoesNotDependOnItsBlock) {
    for (const Shape& s : shapes) {
        const Tensors t = make(*GetParam(), s);
        const std::size_t width = s.heads * s.value_dim;
        std::vector<float> whole(s.rows * width);
        attend(*GetParam(), s, t, 0, s.rows, whole.data());
        for (const std::size_t block : {1, 2, 5, 6, 7, 11, 12, 13, 24, 98}) {
            std::vector<float> parts(s.rows * width);
            for (std::size_t first = 0; first < s.rows; first += block)
                attend(*GetParam(), s, t, first, std::min(block, s.rows - first),
                       parts.data() + first * width);
            ASSERT_TRUE(same_bits(parts.data(), whole.data(), whole.size()))
                << s.rows << " rows, " << s.keys << " keys, blocks of " << block;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Isa, AttentionKernel, testing::ValuesIn(available_tables()), table_name);

}  // namespace
}  // namespace vit::kernels
