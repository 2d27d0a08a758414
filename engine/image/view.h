// Reads pixels in every PixelFormat. Internal.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vit/image.h"

namespace vit::inline internal::image {

/// The longest side of an image, larger than any real one. The product of two sides cannot
/// overflow.
constexpr std::int64_t max_view_side = std::int64_t{1} << 24;

/// Returns `view` with its stride filled in. Throws Error(usage) where the view is invalid.
ImageView checked(const ImageView& view);

/// Bytes of one pixel.
std::int64_t pixel_bytes(PixelFormat format);

inline const std::uint8_t* pixel_at(const ImageView& image, std::int64_t y, std::int64_t x) {
    return image.data + y * image.stride + x * pixel_bytes(image.format);
}

/// Writes `count` pixels as RGB.
void copy_as_rgb(const std::uint8_t* pixels, PixelFormat format, std::size_t count,
                 std::uint8_t* rgb);

}  // namespace vit::inline internal::image
