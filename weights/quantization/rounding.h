// Rounds the weights of a linear to int8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vit::inline internal {

/// A weight [out, in]: scales[o] · numbers[o · in + i].
struct QuantizedWeight {
    /// Within ±127. The magnitudes of numbers 2i and 2i + 1 of an output add up to at most
    /// int8_pair_limit.
    std::vector<std::int8_t> numbers;
    std::vector<float> scales;  ///< [out]

    std::size_t out() const { return scales.size(); }
    std::size_t in() const { return numbers.size() / scales.size(); }
    /// scale · number, [out, in].
    std::vector<float> floats() const;
};

/// The smallest scale with which the weights of an output keep both limits; 0 where all weights are
/// zero.
float smallest_scale(std::span<const float> row);

/// x / scale to nearest even, within ±limit.
std::int8_t round_to_int8(float x, float scale, int limit = 127);

/// Rounds every weight to its nearest number. `weight` is [out, in] and finite.
QuantizedWeight round_to_nearest(std::span<const float> weight, std::size_t out);

}  // namespace vit::inline internal
