// Pseudo-random numbers that are the same in C++ and Python (tools/fixtures/shared_random.py).
// There is no state: element i depends only on name, seed and i.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace vit::inline internal {

/// out[i] is uniform in [-1, 1), a multiple of 2^-23, and exact in float32:
///   key = fnv1a64(name) xor seed
///   z = key + (i + 1) * 0x9E3779B97F4A7C15 (mod 2^64)
///   z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9
///   z = (z ^ z >> 27) * 0x94D049BB133111EB
///   z = z ^ z >> 31
///   out[i] = (z >> 40) * 2^-23 - 1
/// (SplitMix64: Steele, Lea & Flood, "Fast splittable pseudorandom number generators", 2014.)
void fill_random(std::string_view name, std::uint64_t seed, std::span<float> out);

/// The input of a model file's self-test, in row-major order for any shape: 2 * fill_random with
/// the name "self_test.input".
void self_test_input(std::uint64_t seed, std::span<float> out);

}  // namespace vit::inline internal
