#include "engine/executor/attention_weights.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <vector>

namespace vit::inline internal {

namespace {

float element(const Rows& rows, std::int64_t row, std::int64_t column) {
    const std::byte* const data = rows.row(row);
    if (rows.type == DType::f32) return reinterpret_cast<const float*>(data)[column];
    const kernels::BFloat16 bits = reinterpret_cast<const kernels::BFloat16*>(data)[column];
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

void softmax(std::span<float> row) {
    const float largest = *std::ranges::max_element(row);
    double sum = 0;
    for (float& x : row) sum += x = std::exp(x - largest);
    for (float& x : row) x = static_cast<float>(x / sum);
}

}  // namespace

void attention_weights(const QueriesAndKeys& from, std::int64_t head, std::int64_t rows,
                       std::span<float> out) {
    const auto tokens = static_cast<std::size_t>(from.k.count),
               head_dim = static_cast<std::size_t>(from.head_dim);
    const std::int64_t first = head * from.head_dim;
    // Keys are transposed, so that the innermost loop runs over neighbours in memory.
    std::vector<float> keys(head_dim * tokens);
    for (std::size_t t = 0; t < tokens; ++t)
        for (std::size_t d = 0; d < head_dim; ++d)
            keys[d * tokens + t] =
                element(from.k, static_cast<std::int64_t>(t), first + static_cast<std::int64_t>(d));
    for (std::int64_t r = 0; r < rows; ++r) {
        const std::span<float> row = out.subspan(static_cast<std::size_t>(r) * tokens, tokens);
        std::ranges::fill(row, 0.0f);
        for (std::size_t d = 0; d < head_dim; ++d) {
            const float q = static_cast<float>(from.scale) *
                            element(from.q, r, first + static_cast<std::int64_t>(d));
            const float* const key = keys.data() + d * tokens;
            for (std::size_t t = 0; t < tokens; ++t) row[t] += q * key[t];
        }
        softmax(row);
    }
}

}  // namespace vit::inline internal
