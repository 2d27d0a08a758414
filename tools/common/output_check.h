// Checks that an output replaces neither a file that the tool reads nor another output.
#pragma once

#include <filesystem>
#include <vector>

namespace vit::tools {

/// True when both paths name one file: the same path, a link to it, or another spelling. False for
/// empty paths and for anything that is not a file or folder, such as /dev/null.
bool same_file(const std::filesystem::path& a, const std::filesystem::path& b);

/// Throws Error(usage) when one of `outputs` is the file `input`. Skips empty paths.
void check_not_output(const std::filesystem::path& input,
                      const std::vector<std::filesystem::path>& outputs);

}  // namespace vit::tools
