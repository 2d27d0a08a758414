// Finds names that are similar to a name that does not exist.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vit::inline internal {

/// The cost of changing `typed` into `name`. Adding a letter costs little, because people shorten
/// names (vit_b16). Changing or removing a letter costs more. Upper and lower case are equal, and
/// so are - and _.
std::size_t effort(std::string_view typed, std::string_view name);

/// The `count` names with the least effort, in ascending order. All of `names` where they are
/// fewer.
std::vector<std::string> nearest_names(std::string_view typed, std::span<const std::string> names,
                                       std::size_t count);

}  // namespace vit::inline internal
