// The AMX code is plain asm, so that the compiler needs no flag. The intrinsic is no alternative:
// it tells gcc that only 8 of the 64 configuration bytes are read.
// Sources: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18
// (tiles); Linux, Documentation/arch/x86/xstate.rst (permission).
#include <array>
#include <cstddef>
#include <cstdint>

#include "tools/common/peak_loops.h"

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace vit::tools {

namespace {

constexpr std::size_t tile_rows = 16, row_bytes = 64, row_values = row_bytes / 2;

/// The configuration that ldtilecfg reads: eight tiles of full size.
struct alignas(64) TileConfig {
    std::uint8_t palette = 1;
    std::uint8_t start_row = 0;
    std::uint8_t reserved[14]{};
    std::uint16_t bytes_of_row[16]{row_bytes, row_bytes, row_bytes, row_bytes,
                                   row_bytes, row_bytes, row_bytes, row_bytes};
    std::uint8_t rows[16]{tile_rows, tile_rows, tile_rows, tile_rows,
                          tile_rows, tile_rows, tile_rows, tile_rows};
};
static_assert(sizeof(TileConfig) == 64);

using Operands = std::array<std::uint16_t, 4 * tile_rows * row_values>;

/// Four tiles of bf16 values in (-1, 1) with both signs. Zeros or equal numbers would take less
/// power, so the CPU would run at a higher clock than in real work.
Operands make_operands() {
    Operands operands;
    std::uint32_t state = 1;
    for (std::uint16_t& each : operands) {
        state = state * 1664525U + 1013904223U;
        const std::uint32_t sign = state >> 31, mantissa = (state >> 24) & 0x7fU;
        const std::uint32_t exponent = 126U - ((state >> 20) & 3U);  // 2^-1 to 2^-4
        each = static_cast<std::uint16_t>(sign << 15 | exponent << 7 | mantissa);
    }
    return operands;
}

struct Bf16Products {
    static constexpr std::size_t inputs = row_bytes / 2;  ///< of a product
    static void round() {
        asm volatile(
            "tdpbf16ps %tmm6, %tmm4, %tmm0\n\t"
            "tdpbf16ps %tmm7, %tmm4, %tmm1\n\t"
            "tdpbf16ps %tmm6, %tmm5, %tmm2\n\t"
            "tdpbf16ps %tmm7, %tmm5, %tmm3");
    }
};

struct Int8Products {
    static constexpr std::size_t inputs = row_bytes;
    static void round() {
        asm volatile(
            "tdpbusd %tmm6, %tmm4, %tmm0\n\t"
            "tdpbusd %tmm7, %tmm4, %tmm1\n\t"
            "tdpbusd %tmm6, %tmm5, %tmm2\n\t"
            "tdpbusd %tmm7, %tmm5, %tmm3");
    }
};

/// Four sums: a product takes 16 cycles, and its sum is ready after 52.
template <class Products>
double loop(long rounds) {
    const TileConfig config;
    alignas(64) const Operands operands = make_operands();
    const auto tile = [&](std::size_t index) {
        return operands.data() + index * tile_rows * row_values;
    };
    constexpr long stride = row_bytes;
    asm volatile("ldtilecfg %0" ::"m"(config));
    asm volatile(
        "tileloadd (%0,%4,1), %%tmm4\n\t"
        "tileloadd (%1,%4,1), %%tmm5\n\t"
        "tileloadd (%2,%4,1), %%tmm6\n\t"
        "tileloadd (%3,%4,1), %%tmm7\n\t"
        "tilezero %%tmm0\n\t"
        "tilezero %%tmm1\n\t"
        "tilezero %%tmm2\n\t"
        "tilezero %%tmm3" ::"r"(tile(0)),
        "r"(tile(1)), "r"(tile(2)), "r"(tile(3)), "r"(stride)
        : "memory");
    for (long r = 0; r < rounds; ++r) Products::round();
    // Frees the tiles, so that other work on this thread starts without them.
    asm volatile("tilerelease");
    return static_cast<double>(rounds) * 4 * tile_rows * (row_bytes / 4) * Products::inputs * 2;
}

bool cpu_has_tiles() {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    constexpr unsigned bf16 = 1U << 22, tile = 1U << 24, int8 = 1U << 25, all = bf16 | tile | int8;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx & all) == all;
}

/// True if the kernel supports tiles and saves them when it switches threads.
bool kernel_saves_tiles() {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    constexpr unsigned osxsave = 1U << 27;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & osxsave) == 0) return false;
    unsigned low = 0, high = 0;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    constexpr unsigned configuration_and_data = 3U << 17;
    return (low & configuration_and_data) == configuration_and_data;
}

bool may_use_tiles() {
    constexpr long request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

LoopOrWhyNot tile_loop(PeakLoop loop) {
    if (!cpu_has_tiles()) return {nullptr, "this CPU has no AMX tiles"};
    if (!kernel_saves_tiles()) return {nullptr, "the operating system has AMX tiles switched off"};
    if (!may_use_tiles()) return {nullptr, "the operating system refuses AMX tiles"};
    return {loop, nullptr};
}

}  // namespace

LoopOrWhyNot bf16_tile_loop() {
    return tile_loop(loop<Bf16Products>);
}

LoopOrWhyNot int8_tile_loop() {
    return tile_loop(loop<Int8Products>);
}

}  // namespace vit::tools

#else

namespace vit::tools {

LoopOrWhyNot bf16_tile_loop() {
    return {nullptr, "AMX tiles are for x86-64 and Linux"};
}

LoopOrWhyNot int8_tile_loop() {
    return bf16_tile_loop();
}

}  // namespace vit::tools

#endif
