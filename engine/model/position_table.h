// Resizes a position table for another image size.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/model/model_config.h"

namespace vit::inline internal {

/// `table` [prefix + old_grid.height * old_grid.width, dim] → [prefix + new_grid.height *
/// new_grid.width, dim]. Prefix rows are copied. Patch rows are resampled as timm's
/// resample_abs_pos_embed does it with torch's interpolate. bicubic: Keys' cubic with a = -0.5,
/// with antialiasing. bilinear: without antialiasing; bilinear_corners: with align_corners too.
/// bicubic_plain: as in transformers, without antialiasing and with a = -0.75. Weights are float32
/// as in torch. Sums are double, rounded once. The result agrees with torch to 5e-7 of the table's
/// largest magnitude. Equal grids return the table unchanged. Throws Error(usage) where sizes do
/// not match.
std::vector<float> resample_position_table(
    std::span<const float> table, std::int64_t prefix, ImageSize old_grid, ImageSize new_grid,
    std::int64_t dim, TableInterpolation interpolation = TableInterpolation::bicubic);

}  // namespace vit::inline internal
