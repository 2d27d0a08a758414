// The order in which people list files: img2 before img10.
#pragma once

#include <string_view>

namespace vit::infer {

/// Runs of digits compare as numbers, everything else byte by byte; a strict total order.
bool natural_less(std::string_view a, std::string_view b) noexcept;

}  // namespace vit::infer
