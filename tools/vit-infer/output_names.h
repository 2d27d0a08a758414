// What the names of output files mean.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "tools/vit-infer/options.h"

namespace vit::infer {

/// The format that the name ends with: .json, .jsonl, .csv or .txt (text). Nothing for other names.
std::optional<Format> format_of(const std::filesystem::path& output);

/// Throws Error(usage) where `path` cannot be meant for a .npy file: standard output, or a name
/// that ends like a file of another format.
void check_array_name(std::string_view option, const std::filesystem::path& path);

}  // namespace vit::infer
