// The fuzz targets. Every target is a plain function of bytes, so that the same code runs under
// libFuzzer (fuzz_NAME) and, with the committed corpus, in the normal suite (fuzz_replay).
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace vit::fuzz {

/// Passes the bytes to a reader. The reader may accept them or refuse them with a proper error.
/// Anything else (another exception, a result that breaks a promise) ends the process.
using Run = void (*)(std::span<const std::byte> bytes);

void safetensors(std::span<const std::byte> bytes);
void torch_zip(std::span<const std::byte> bytes);
void torch_legacy(std::span<const std::byte> bytes);
void pickle(std::span<const std::byte> bytes);
void npz(std::span<const std::byte> bytes);
void npy(std::span<const std::byte> bytes);
void image(std::span<const std::byte> bytes);
void cgroup(std::span<const std::byte> bytes);

struct Target {
    std::string_view name;  ///< also the name of its folder under tests/data/fuzz
    Run run;
};

/// To add a target, add a function, a line here, its name in CMakeLists.txt, and a folder with a
/// few inputs.
inline constexpr Target targets[] = {
    {"safetensors", safetensors},
    {"torch_zip", torch_zip},
    {"torch_legacy", torch_legacy},
    {"pickle", pickle},
    {"npz", npz},
    {"npy", npy},
    {"image", image},
    {"cgroup", cgroup},
};

}  // namespace vit::fuzz
