// What somebody may have meant who typed a name that does not exist.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vit::inline internal {

/// How much has to be done to make `name` of `typed`: to add a letter costs little, since people
/// shorten names (vit_b16); to change one or take one away costs more. Case counts for nothing,
/// and - for _.
std::size_t effort(std::string_view typed, std::string_view name);

/// The `count` names of the least effort, the least first.
std::vector<std::string> nearest_names(std::string_view typed, std::span<const std::string> names,
                                       std::size_t count);

}  // namespace vit::inline internal
