// Values for the three channels of an image: --mean and --std.
#pragma once

#include <array>
#include <string_view>

namespace vit::tools {

/// Reads R,G,B, for pixels from 0 to 1. Throws Error(usage) with the option's name: where there are
/// not three numbers, where one is outside of 0 to 1 (such as values for pixels from 0 to 255), or
/// where one of --std is 0.
std::array<float, 3> parse_mean(std::string_view text);
std::array<float, 3> parse_std(std::string_view text);

}  // namespace vit::tools
