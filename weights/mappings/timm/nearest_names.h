// Finds the names that are most similar to a mistyped one.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vit::inline internal {

/// Returns the cost of changing `typed` into `name`. Adding a letter costs little, because people
/// shorten names (vit_b16). Changing or removing one costs more. Case is ignored, and - equals _.
std::size_t effort(std::string_view typed, std::string_view name);

/// Returns the `count` names with the lowest cost, the lowest first.
std::vector<std::string> nearest_names(std::string_view typed, std::span<const std::string> names,
                                       std::size_t count);

}  // namespace vit::inline internal
