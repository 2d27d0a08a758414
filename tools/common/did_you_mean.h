// Suggests a known name for a mistyped one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace vit::tools {

/// "; did you mean NAME?" for the known name that is closest to `word`, or nothing where none is
/// close: at most a third of its letters inserted, removed, replaced or swapped.
std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace vit::tools
