// Numbers in rows and columns, one for each patch or pixel of an image.
#pragma once

#include <cstdint>
#include <vector>

namespace vit::pictures {

/// Row by row.
struct Grid {
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    std::vector<float> values;
};

/// The value below which `share` (0 to 1) of the values lie. 0 for an empty grid.
float quantile(const Grid& grid, double share);

/// Bilinear, with the centres of cells half a cell from the border, as PyTorch's interpolate with
/// align_corners=False. Values beyond the outer centres are repeated.
Grid enlarge(const Grid& grid, std::int64_t rows, std::int64_t columns);

}  // namespace vit::pictures
