// Names of tensors as patterns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vit::inline internal {

/// True where `name` fits a rule's `source`; then `numbers` are those that stand for each `#`.
bool fits(std::string_view pattern, std::string_view name, std::vector<std::string>& numbers);

/// A rule's `source` with its `#` replaced in turn and without brackets, or what is in them where
/// that has a number too.
std::string filled(std::string_view pattern, const std::vector<std::string>& numbers);

/// The parts of a name that are numbers: {"3", "1"} of "blocks.3.attns.1.norm.weight".
std::vector<std::string> numbers_in(std::string_view name);

/// A tensor that a rule makes.
struct Target {
    std::string name;
    int turn = 0;  ///< 0 or 1 where it takes turns with its neighbour
    bool takes_turns = false;
};

/// A rule's `canonical`, written out.
std::vector<Target> targets_of(std::string_view canonical, const std::vector<std::string>& numbers);

}  // namespace vit::inline internal
