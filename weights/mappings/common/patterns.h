// Matches the names of tensors with patterns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vit::inline internal {

/// Whether `name` fits the pattern of a rule's `source`. If so, `numbers` has the number at each
/// `#`.
bool fits(std::string_view pattern, std::string_view name, std::vector<std::string>& numbers);

/// A rule's `source` with each `#` replaced by the next number. Brackets are removed, and the text
/// of a bracket that begins with `@` too.
std::string filled(std::string_view pattern, const std::vector<std::string>& numbers);

/// Returns the parts of a name that are numbers: {"3", "1"} for "blocks.3.attns.1.norm.weight".
std::vector<std::string> numbers_in(std::string_view name);

/// A tensor of the model that a rule sets.
struct Target {
    std::string name;
    int turn = 0;  ///< 0 or 1 where it alternates with its neighbour
    bool takes_turns = false;
};

/// The tensors that a rule's `canonical` names, with each `#` replaced by the next number.
std::vector<Target> targets_of(std::string_view canonical, const std::vector<std::string>& numbers);

}  // namespace vit::inline internal
