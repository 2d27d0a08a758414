// Text files with one name or label a line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace vit::search {

/// The lines of a file, without their ends (\n or \r\n). Throws Error(io), and Error(format) where
/// their number is not `expected`; `rows_of` names the file whose rows the lines describe.
std::vector<std::string> read_lines(const std::filesystem::path& path, std::int64_t expected,
                                    const std::filesystem::path& rows_of);

}  // namespace vit::search
