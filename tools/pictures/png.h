// Writes pictures as PNG files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "vit/image.h"

namespace vit::pictures {

/// The bytes of an 8-bit RGB PNG file. Throws Error(usage) for an image without pixels or with more
/// than 2^31 - 1 pixels a side, and Error(memory).
std::vector<std::byte> encode_png(const Image& image);

/// Writes the file, which appears whole or not at all. Throws what encode_png() throws, and
/// Error(io).
void write_png(const std::filesystem::path& path, const Image& image);

}  // namespace vit::pictures
