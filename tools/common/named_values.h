// Options whose values are names: tables of pairs of a value and its name.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "CLI/CLI.hpp"
#include "tools/common/did_you_mean.h"

namespace vit::tools {

/// "a, b or c".
std::string list_of(std::span<const std::string> names);

/// Returns a check that an option's value is one of the names.
template <class Names>
CLI::Validator one_of(const Names& names) {
    std::vector<std::string> texts;
    for (const auto& [value, name] : names) texts.emplace_back(name);
    return CLI::Validator(
        [texts](const std::string& value) {
            if (std::ranges::find(texts, value) != texts.end()) return std::string();
            return "expected " + list_of(texts) + ", found " + value + did_you_mean(value, texts);
        },
        "");
}

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
