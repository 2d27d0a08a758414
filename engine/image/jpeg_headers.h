// The segments of a JPEG before its first scan. Internal.
#pragma once

#include <cstddef>
#include <span>

namespace vit::inline internal::image {

/// What Pillow's own reader of JPEG headers refuses although libjpeg accepts it; nullptr: nothing.
const char* objection_to_jpeg_headers(std::span<const std::byte> file);

}  // namespace vit::inline internal::image
