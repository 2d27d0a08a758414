// An output must not replace what the tool reads, nor another output.
#pragma once

#include <filesystem>
#include <vector>

namespace vit::tools {

/// True when both name one file: the same path, a link to it, or another spelling. False for what
/// is not a file or folder, such as /dev/null, and for empty paths.
bool same_file(const std::filesystem::path& a, const std::filesystem::path& b);

/// Throws Error (usage) when one of `outputs` is the file `input`. Empty paths are skipped.
void check_not_output(const std::filesystem::path& input,
                      const std::vector<std::filesystem::path>& outputs);

}  // namespace vit::tools
