// The weights of attention from its queries and keys.
#pragma once

#include <cstdint>
#include <span>

#include "engine/executor/step.h"

namespace vit::inline internal {

/// Queries and keys [tokens, heads * head_dim], float32 or bfloat16, row by row.
struct QueriesAndKeys {
    Rows q, k;
    std::int64_t heads = 0, head_dim = 0;
    double scale = 1;
};

/// Writes softmax(scale · q kᵀ) of one head for the first `rows` queries to `out` [rows, tokens].
/// Thread-safe for different `out`.
void attention_weights(const QueriesAndKeys& from, std::int64_t head, std::int64_t rows,
                       std::span<float> out);

}  // namespace vit::inline internal
