// SHA-256: what a model file was made from, and whether a download is what was sent.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace vit::tools {

/// Lower-case hexadecimal (FIPS 180-4).
std::string sha256(std::span<const std::byte> bytes);

/// Of a file's contents. Throws Error(io).
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace vit::tools
