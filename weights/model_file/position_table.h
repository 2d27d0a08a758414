// Resizing a position table to another image size.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "weights/model_file/model_config.h"

namespace vit {

/// `table` [prefix + old_grid.height * old_grid.width, dim] → [prefix + new_grid.height *
/// new_grid.width, dim]. Prefix rows are copied; patch rows are resampled bicubically (Keys' cubic
/// with a = -0.5) with antialiasing, as timm's resample_abs_pos_embed does through torch's
/// interpolate(mode="bicubic", antialias=True, align_corners=False); computed in double and rounded
/// once, which agrees with torch's float32 to 1e-6 of the table's largest magnitude. An equal grid
/// returns the table unchanged. Throws Error(usage) on sizes that disagree.
///
/// One difference: timm also leaves a table alone when the new grid is square and has as many
/// patches as the old one of another form (4x16 → 8x8); here it is resampled.
std::vector<float> resample_position_table(std::span<const float> table, std::int64_t prefix,
                                           ImageSize old_grid, ImageSize new_grid,
                                           std::int64_t dim);

}  // namespace vit
