// Options whose values are numbers within limits.
#pragma once

#include <fmt/format.h>

#include <string>

#include "CLI/CLI.hpp"

namespace vit::tools {

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
