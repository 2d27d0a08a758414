// Where the results go.
#pragma once

#include <filesystem>
#include <string_view>

namespace vit::search {

/// Thrown when the reader of standard output has closed it, as `head` does. This is not an error.
struct ReaderGone {};

/// Writes to standard output if `path` is empty, otherwise to a file that appears only when it is
/// complete. Throws Error(io), ReaderGone.
void write_output(const std::filesystem::path& path, std::string_view text);

}  // namespace vit::search
