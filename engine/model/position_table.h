// Resizing a position table to another image size.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/model/model_config.h"

namespace vit::inline internal {

/// `table` [prefix + old_grid.height * old_grid.width, dim] → [prefix + new_grid.height *
/// new_grid.width, dim]. Prefix rows are copied; patch rows are resampled as timm's
/// resample_abs_pos_embed does through torch's interpolate: bicubic (Keys' cubic with a = -0.5)
/// with antialiasing, or bilinear without, with align_corners for bilinear_corners; bicubic_plain
/// as transformers does, without antialiasing and with a = -0.75; weights in float32 as torch's,
/// sums in double rounded once; agrees with torch to 5e-7 of the table's largest magnitude. An
/// equal grid returns the table unchanged. Throws Error(usage) on sizes that disagree.
std::vector<float> resample_position_table(
    std::span<const float> table, std::int64_t prefix, ImageSize old_grid, ImageSize new_grid,
    std::int64_t dim, TableInterpolation interpolation = TableInterpolation::bicubic);

}  // namespace vit::inline internal
