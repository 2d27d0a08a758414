#include "engine/base/random.h"

namespace vit::inline internal {

namespace {

std::uint64_t fnv1a64(std::string_view text) {
    std::uint64_t hash = 0xCBF29CE484222325u;
    for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
    return hash;
}

}  // namespace

void fill_random(std::string_view name, std::uint64_t seed, std::span<float> out) {
    std::uint64_t counter = fnv1a64(name) ^ seed;
    for (float& value : out) {
        counter += 0x9E3779B97F4A7C15u;
        std::uint64_t z = counter;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        z ^= z >> 31;
        value = static_cast<float>(z >> 40) * 0x1p-23f - 1.0f;
    }
}

void self_test_input(std::uint64_t seed, std::span<float> out) {
    fill_random("self_test.input", seed, out);
    for (float& value : out) value *= 2;
}

}  // namespace vit::inline internal
