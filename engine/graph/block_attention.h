// Finds the attentions of a block in the built graph.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/graph/graph.h"

namespace vit::inline internal {

/// The attention weights of one node: softmax(scale · q kᵀ) for each head. q and k are values of
/// the built graph [tokens, heads * head_dim], after their norms.
struct SoftmaxNode {
    ValueId q = no_value, k = no_value;
    std::int64_t heads = 0, head_dim = 0;
    double scale = 1;
};

/// One attention of a block. Differential attention subtracts a second softmax, multiplied by the
/// weight `factor` (one number).
struct BlockAttention {
    SoftmaxNode softmax;
    std::optional<SoftmaxNode> subtracted;
    std::string factor;
};

/// The attentions of block `block` in the order of the graph: one, or several side by side
/// (parallel_things). Empty where there is no such block.
std::vector<BlockAttention> attentions_of_block(const Graph& built, std::int64_t block);

}  // namespace vit::inline internal
