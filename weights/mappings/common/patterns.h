// Patterns of tensor names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vit::inline internal {

/// Returns whether `name` fits a rule's `source`. If so, sets `numbers` to the numbers at each `#`.
bool fits(std::string_view pattern, std::string_view name, std::vector<std::string>& numbers);

/// Returns a rule's `source` with its `#` replaced in turn. Drops brackets and the text in them,
/// unless that text has a number.
std::string filled(std::string_view pattern, const std::vector<std::string>& numbers);

/// Returns the parts of a name that are numbers: {"3", "1"} for "blocks.3.attns.1.norm.weight".
std::vector<std::string> numbers_in(std::string_view name);

/// A tensor of the model that a rule fills.
struct Target {
    std::string name;
    int turn = 0;  ///< 0 or 1 where its half-heads alternate with the next target's
    bool takes_turns = false;
};

/// Returns all targets of a rule's `canonical`.
std::vector<Target> targets_of(std::string_view canonical, const std::vector<std::string>& numbers);

}  // namespace vit::inline internal
