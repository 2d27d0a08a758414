// Breaks text into lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vit::tools {

/// Breaks a paragraph at spaces into lines of at most `width` characters, if its words allow that.
std::vector<std::string> wrap(std::string_view paragraph, std::size_t width);

/// The parts of `text` between separators.
std::vector<std::string_view> split(std::string_view text, std::string_view separator);

}  // namespace vit::tools
