// The orientation tag of EXIF metadata. Internal.
#pragma once

#include <cstddef>
#include <span>

#include "vit/image.h"

namespace vit::inline internal::image {

/// The EXIF orientation (1 to 8) of a JPEG (APP1), PNG (eXIf) or WebP (EXIF chunk). Returns 1 where
/// there is none or it is invalid, because wrong metadata must not prevent decoding.
int exif_orientation(std::span<const std::byte> file);

/// Turns an image that is stored with this orientation upright, as Pillow's ImageOps.exif_transpose
/// does.
Image apply_orientation(Image image, int orientation);

}  // namespace vit::inline internal::image
