// Computes the fixed position table of SimpleViT, which checkpoints do not store.
#pragma once

#include <vector>

#include "engine/model/model_config.h"

namespace vit::inline internal {

/// The table [grid.height * grid.width, dim]. Each row has sin x, cos x, sin y and cos y for dim /
/// 4 frequencies each, as big_vision and vit-pytorch compute it (after MoCo v3). Throws
/// Error(model) unless dim is a multiple of 4 above 4.
std::vector<float> sincos_table(ImageSize grid, std::int64_t dim);

}  // namespace vit::inline internal
