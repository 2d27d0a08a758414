// Checks of options' values. CLI11 takes seconds to compile, so only the files that build a parser
// include this.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "tools/common/did_you_mean.h"
#include "tools/common/named_values.h"

namespace vit::tools {

/// Returns a check that an option's value is one of the names of a table (named_values.h).
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

/// Returns a check that an option's value is a number from `least` to `most`.
template <class Number>
CLI::Validator number_within(Number least, Number most) {
    return CLI::Validator(
        [=](const std::string& text) {
            Number value{};
            if (CLI::detail::lexical_cast(text, value) && value >= least && value <= most)
                return std::string();
            return fmt::format("expected a number from {} to {}, found {}", least, most, text);
        },
        "");
}

}  // namespace vit::tools
