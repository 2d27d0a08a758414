#include "engine/executor/attention_weights.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <vector>

namespace vit::inline internal {

namespace {

/// The number of products that are added in float32 before the sum is added in float64. Scores of
/// trained models reach 300 (in DINOv2), and float32 alone then costs weights more than 1e-5.
constexpr std::size_t added_in_float = 8;

float element(const Rows& rows, std::int64_t row, std::int64_t column) {
    const std::byte* const data = rows.row(row);
    if (rows.type == DType::f32) return reinterpret_cast<const float*>(data)[column];
    const kernels::BFloat16 bits = reinterpret_cast<const kernels::BFloat16*>(data)[column];
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

void softmax(std::span<const double> scores, std::span<float> out) {
    const double largest = *std::ranges::max_element(scores);
    double sum = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = std::exp(static_cast<float>(scores[i] - largest));
        sum += out[i];
    }
    for (float& x : out) x = static_cast<float>(x / sum);
}

}  // namespace

void attention_weights(const QueriesAndKeys& from, std::int64_t head, std::int64_t rows,
                       std::span<float> out) {
    const auto tokens = static_cast<std::size_t>(from.k.count),
               head_dim = static_cast<std::size_t>(from.head_dim);
    const std::int64_t first = head * from.head_dim;
    // Keys are transposed, so that the innermost loop runs over neighbours in memory.
    std::vector<float> keys(head_dim * tokens), part(tokens);
    std::vector<double> scores(tokens);
    for (std::size_t t = 0; t < tokens; ++t)
        for (std::size_t d = 0; d < head_dim; ++d)
            keys[d * tokens + t] =
                element(from.k, static_cast<std::int64_t>(t), first + static_cast<std::int64_t>(d));
    for (std::int64_t r = 0; r < rows; ++r) {
        const std::span<float> row = out.subspan(static_cast<std::size_t>(r) * tokens, tokens);
        std::ranges::fill(scores, 0.0);
        for (std::size_t begin = 0; begin < head_dim; begin += added_in_float) {
            std::ranges::fill(part, 0.0f);
            for (std::size_t d = begin; d < std::min(begin + added_in_float, head_dim); ++d) {
                const float q = element(from.q, r, first + static_cast<std::int64_t>(d));
                const float* const key = keys.data() + d * tokens;
                for (std::size_t t = 0; t < tokens; ++t) part[t] += q * key[t];
            }
            for (std::size_t t = 0; t < tokens; ++t) scores[t] += from.scale * part[t];
        }
        softmax(scores, row);
    }
}

}  // namespace vit::inline internal
