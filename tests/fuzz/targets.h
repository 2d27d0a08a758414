// What the fuzzers run. Every target is a plain function of bytes, so that the same code runs under
// libFuzzer (fuzz_NAME) and, over the committed corpus, in the normal suite (fuzz_replay).
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace vit::fuzz {

/// Feeds the bytes to a reader. Accepting them and refusing them with a proper error are both fine;
/// anything else (another exception, a broken promise about the result) ends the process.
using Run = void (*)(std::span<const std::byte> bytes);

void safetensors(std::span<const std::byte> bytes);
void torch_zip(std::span<const std::byte> bytes);
void torch_legacy(std::span<const std::byte> bytes);
void pickle(std::span<const std::byte> bytes);
void npz(std::span<const std::byte> bytes);
void npy(std::span<const std::byte> bytes);
void image(std::span<const std::byte> bytes);

struct Target {
    std::string_view name;  ///< also of its folder under tests/data/fuzz
    Run run;
};

/// A new target: a function, a line here, its name in CMakeLists.txt, a folder with a few inputs.
inline constexpr Target targets[] = {
    {"safetensors", safetensors},
    {"torch_zip", torch_zip},
    {"torch_legacy", torch_legacy},
    {"pickle", pickle},
    {"npz", npz},
    {"npy", npy},
    {"image", image},
};

}  // namespace vit::fuzz
