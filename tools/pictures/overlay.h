// Draws numbers over an image.
#pragma once

#include "tools/pictures/grid.h"
#include "vit/image.h"

namespace vit::pictures {

/// The part of an image that the cells of a grid cover, from its top left corner, in pixels.
struct Covered {
    std::int64_t height = 0;
    std::int64_t width = 0;
};

/// The smallest whole factor with which the longer side has at least `least` pixels.
std::int64_t enlargement(std::int64_t height, std::int64_t width, std::int64_t least);

/// The image in another size, bilinear, as Pillow resizes it.
Image resized(const Image& image, std::int64_t height, std::int64_t width);

/// The image in grey with the grid's values, which should be 0 to 1, as heat over it: dark where
/// they are low, and in the colours of inferno where they are high. The grid is enlarged
/// bilinearly.
Image heat_over(const Image& image, const Grid& grid, Covered covered);

/// The image in grey with values from -1 (blue) to 1 (red) over it. Where a value is near 0, the
/// image shines through.
Image signs_over(const Image& image, const Grid& grid, Covered covered);

}  // namespace vit::pictures
