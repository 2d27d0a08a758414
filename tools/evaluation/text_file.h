// Small text files, read and written whole.
#pragma once

#include <filesystem>
#include <string>

namespace vit::tools {

/// The whole file without a byte order mark. Throws Error(io) that calls the file `what`.
std::string read_text_file(const std::filesystem::path& path, std::string_view what);

}  // namespace vit::tools
