// Options whose values are names: tables of pairs of a value and its name.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

namespace vit::tools {

/// "a, b or c".
std::string list_of(std::span<const std::string> names);

/// Returns the value of `name`, which must be in the table.
template <class Names>
auto value_of(std::string_view name, const Names& names) {
    return std::ranges::find(names, name,
                             [](const auto& each) { return std::string_view(each.second); })
        ->first;
}

/// Returns the name of `value`, which must be in the table.
template <class Value, class Names>
std::string_view name_of(Value value, const Names& names) {
    return std::ranges::find(names, value, [](const auto& each) { return each.first; })->second;
}

}  // namespace vit::tools
