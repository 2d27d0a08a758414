// libFuzzer's entry point. It calls the target of targets.h that the build selects.
#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    vit::fuzz::VIT_FUZZ_TARGET(std::as_bytes(std::span(data, size)));
    return 0;
}
