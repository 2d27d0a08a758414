// The orientation tag of EXIF metadata. Internal.
#pragma once

#include <cstddef>
#include <span>

#include "vit/image.h"

namespace vit::inline internal::image {

/// The EXIF orientation (1 to 8) of a JPEG (APP1), PNG (eXIf) or WebP (EXIF chunk).
/// 1 where there is none, and where it makes no sense: wrong metadata spoil no image.
int exif_orientation(std::span<const std::byte> file);

/// The upright image of one stored with this orientation, as Pillow's ImageOps.exif_transpose.
Image apply_orientation(Image image, int orientation);

}  // namespace vit::inline internal::image
