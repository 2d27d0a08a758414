// The order in which people list files: img2 comes before img10.
#pragma once

#include <string_view>

namespace vit::tools {

/// Compares runs of digits as numbers and everything else byte by byte. This is a strict total
/// order.
bool natural_less(std::string_view a, std::string_view b) noexcept;

}  // namespace vit::tools
