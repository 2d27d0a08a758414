// Colours for numbers.
#pragma once

#include <array>
#include <cstdint>

namespace vit::pictures {

using Colour = std::array<std::uint8_t, 3>;  ///< red, green, blue

/// matplotlib's "inferno" (S. van der Walt and N. Smith, CC0): from black over violet and orange to
/// light yellow. Equal steps of `value` look equally large. Values outside of 0 to 1 are clamped;
/// NaN is 0.
Colour inferno(float value);

/// `share` (0 to 1) of `over`, and the rest of `under`.
Colour mix(Colour under, Colour over, float share);

/// The brightness of a colour, as Pillow's convert("L") weighs it.
std::uint8_t grey(Colour colour);

}  // namespace vit::pictures
