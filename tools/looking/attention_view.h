// How much the class token attends to each patch.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "tools/pictures/grid.h"
#include "vit/model.h"

namespace vit::looking {

/// The attention of the class token in one block to each patch, of one head or the mean of all
/// heads. The attention to prefix tokens is left out, so the sum is below 1. Throws Error(usage)
/// where there is no such block or head, and what vit::attention() throws.
pictures::Grid class_attention(const Model& model, std::span<const float> image, std::int64_t block,
                               std::optional<std::int64_t> head);

/// The first row of the attention rollout (Abnar & Zuidema, "Quantifying Attention Flow in
/// Transformers", 2020), [tokens]: the mean over heads, half of it the identity for the residual,
/// multiplied over all blocks. The sum is 1. Throws what vit::attention() throws.
std::vector<double> rollout(const Model& model, std::span<const float> image);

/// The same for each patch.
pictures::Grid rollout_of_patches(const Model& model, std::span<const float> image);

}  // namespace vit::looking
