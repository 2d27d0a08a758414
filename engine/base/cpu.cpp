#include "engine/base/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#endif

namespace vit::inline internal {

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

CpuVendor probe_vendor() noexcept {
    unsigned highest = 0, ebx = 0, ecx = 0, edx = 0;
    if (__get_cpuid(0, &highest, &ebx, &ecx, &edx) == 0) return CpuVendor::other;
    const unsigned name[] = {ebx, edx, ecx};
    if (std::memcmp(name, "GenuineIntel", sizeof name) == 0) return CpuVendor::intel;
    if (std::memcmp(name, "AuthenticAMD", sizeof name) == 0) return CpuVendor::amd;
    return CpuVendor::other;
}

/// Whether palette 1 has what the kernels are written for: 8 tiles of 16 rows of 64 bytes.
bool has_tile_palette() noexcept {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (__get_cpuid_count(0x1d, 1, &eax, &ebx, &ecx, &edx) == 0) return false;
    const unsigned row_bytes = ebx & 0xffffU, tiles = ebx >> 16, rows = ecx & 0xffffU;
    return tiles >= 8 && row_bytes >= 64 && rows >= 16;
}

}  // namespace

CpuFeatures probe_cpu() noexcept {
    constexpr std::uint32_t avx = bit_AVX | bit_FMA | bit_OSXSAVE;
    constexpr std::uint32_t avx512 =
        bit_AVX512F | bit_AVX512CD | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;
    constexpr std::uint64_t ymm_state = 0x06;  // SSE and AVX registers
    constexpr std::uint64_t zmm_state = 0xe6;  // and masks, upper halves, registers 16 to 31

    CpuFeatures features;
    features.vendor = probe_vendor();
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || !has_bits(ecx, avx)) return features;
    const std::uint64_t state = enabled_register_state();
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return features;
    const std::uint32_t leaf7_edx = edx;
    features.avx2_fma = has_bits(ebx, bit_AVX2) && has_bits(state, ymm_state);
    features.avx512 = features.avx2_fma && has_bits(ebx, avx512) && has_bits(state, zmm_state);
    constexpr std::uint32_t bf16 = 1U << 5;
    features.avx512_bf16 = features.avx512 &&
                           __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 &&
                           has_bits(eax, bf16);
    constexpr std::uint32_t amx = 1U << 22 | 1U << 24 | 1U << 25;  // bf16, tile, int8
    constexpr std::uint64_t tile_state = 3U << 17;                 // configuration and data
    features.amx = features.avx512_bf16 && has_bits(leaf7_edx, amx) &&
                   has_bits(state, tile_state) && has_tile_palette();
    return features;
}

bool request_tiles() noexcept {
#if defined(__linux__)
    constexpr long request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
    return false;
#endif
}
#else
CpuFeatures probe_cpu() noexcept {
    return {};
}

bool request_tiles() noexcept {
    return false;
}
#endif

}  // namespace vit::inline internal
