#include "engine/base/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#endif

namespace vit::inline internal {

#if defined(__x86_64__)
namespace {

constexpr bool has_bits(std::uint64_t value, std::uint64_t bits) noexcept {
    return (value & bits) == bits;
}

// Written as assembly: the intrinsic needs a compiler flag with which the compiler could use xsave
// elsewhere too.
std::uint64_t enabled_register_state() noexcept {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (std::uint64_t{high} << 32) | low;
}

CpuVendor probe_vendor() noexcept {
    if (__builtin_cpu_is("intel")) return CpuVendor::intel;
    if (__builtin_cpu_is("amd")) return CpuVendor::amd;
    return CpuVendor::other;
}

/// The bit is described in Intel's manual, volume 2, CPUID, leaf 7, subleaf 1.
bool has_avx_vnni() noexcept {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax >> 4 & 1) != 0;
}

/// Whether palette 1 has the tiles that the kernels use: 8 tiles of 16 rows of 64 bytes.
bool has_tile_palette() noexcept {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (__get_cpuid_count(0x1d, 1, &eax, &ebx, &ecx, &edx) == 0) return false;
    const unsigned row_bytes = ebx & 0xffffU, tiles = ebx >> 16, rows = ecx & 0xffffU;
    return tiles >= 8 && row_bytes >= 64 && rows >= 16;
}

}  // namespace

CpuFeatures probe_cpu() noexcept {
    constexpr std::uint64_t tile_state = 3U << 17;  // configuration and data

    // The builtins check that the CPU has a feature and that the OS saves its registers.
    __builtin_cpu_init();
    CpuFeatures features;
    features.vendor = probe_vendor();
    features.avx2_fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    features.avx_vnni = features.avx2_fma && has_avx_vnni();
    features.avx512 = features.avx2_fma && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    features.avx512_vnni = features.avx512 && __builtin_cpu_supports("avx512vnni");
    features.avx512_bf16 = features.avx512 && __builtin_cpu_supports("avx512bf16");
    features.amx = features.avx512_bf16 && __builtin_cpu_supports("amx-tile") &&
                   __builtin_cpu_supports("amx-bf16") && __builtin_cpu_supports("amx-int8") &&
                   has_bits(enabled_register_state(), tile_state) && has_tile_palette();
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
