// The fixed position table of SimpleViT, which is computed and never stored.
#pragma once

#include <vector>

#include "engine/model/model_config.h"

namespace vit::inline internal {

/// [grid.height * grid.width, dim]: sin x, cos x, sin y, cos y over dim / 4 frequencies each, as
/// big_vision and vit-pytorch compute it (after MoCo v3). Throws Error(model) unless dim is a
/// multiple of 4 above 4.
std::vector<float> sincos_table(ImageSize grid, std::int64_t dim);

}  // namespace vit::inline internal
