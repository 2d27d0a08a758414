// How similar two vectors are.
#pragma once

#include <span>

namespace vit::inline internal {

/// a · b / (‖a‖ ‖b‖), added up in float64. Both have the same length. 1 where both are zero, 0
/// where one is.
double cosine(std::span<const float> a, std::span<const float> b) noexcept;

/// 1 / ‖a‖, added up in float64. 0 where a has no direction: it is zero, or holds NaN or infinity.
double inverse_length(std::span<const float> a) noexcept;

}  // namespace vit::inline internal
