// Writes pictures as JPEG.
#pragma once

#include <cstddef>
#include <vector>

#include "vit/image.h"

namespace vit::pictures {

/// The bytes of a JPEG file. `quality`: 1 to 100. Throws Error(usage) for an image without pixels,
/// and Error(memory).
std::vector<std::byte> encode_jpeg(const Image& image, int quality);

}  // namespace vit::pictures
