#include "engine/base/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>

#include <cstdint>
#endif

namespace vit {

#if defined(__x86_64__)
namespace {

constexpr bool has_bits(std::uint64_t value, std::uint64_t bits) noexcept {
    return (value & bits) == bits;
}

// By hand, since the intrinsic needs a compiler flag that would let the compiler use xsave too.
std::uint64_t enabled_register_state() noexcept {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (std::uint64_t{high} << 32) | low;
}

}  // namespace

CpuFeatures probe_cpu() noexcept {
    constexpr std::uint32_t avx = bit_AVX | bit_FMA | bit_OSXSAVE;
    constexpr std::uint32_t avx512 =
        bit_AVX512F | bit_AVX512CD | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;
    constexpr std::uint64_t ymm_state = 0x06;  // SSE and AVX registers
    constexpr std::uint64_t zmm_state = 0xe6;  // and masks, upper halves, registers 16 to 31

    CpuFeatures features;
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || !has_bits(ecx, avx)) return features;
    const std::uint64_t state = enabled_register_state();
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return features;
    features.avx2_fma = has_bits(ebx, bit_AVX2) && has_bits(state, ymm_state);
    features.avx512 = features.avx2_fma && has_bits(ebx, avx512) && has_bits(state, zmm_state);
    constexpr std::uint32_t bf16 = 1U << 5;
    features.avx512_bf16 = features.avx512 &&
                           __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 &&
                           has_bits(eax, bf16);
    return features;
}
#else
CpuFeatures probe_cpu() noexcept {
    return {};
}
#endif

}  // namespace vit
