// SHA-256. It identifies the checkpoint of a model file, and it checks downloads.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace vit::tools {

/// Returns lower-case hexadecimal digits (FIPS 180-4).
std::string sha256(std::span<const std::byte> bytes);

/// The SHA-256 of a file's contents. Throws Error(io).
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace vit::tools
