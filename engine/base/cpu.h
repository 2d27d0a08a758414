// The vendor of this CPU, and the instruction sets that can be used: the CPU executes them, and the
// operating system saves their registers on a context switch.
#pragma once

namespace vit::inline internal {

enum class CpuVendor { other, intel, amd };

/// The vendor of this CPU, and the instruction sets that may be used. The CPU has them, and the OS
/// has enabled their registers.
struct CpuFeatures {
    CpuVendor vendor = CpuVendor::other;
    bool avx2_fma = false;     ///< AVX2 and FMA3
    bool avx_vnni = false;     ///< products of 8-bit integers added in int32; implies avx2_fma
    bool avx512 = false;       ///< AVX-512 F, CD, DQ, BW and VL, all five; implies avx2_fma
    bool avx512_vnni = false;  ///< products of 8-bit integers added in int32; implies avx512
    bool avx512_bf16 = false;  ///< products of bfloat16 added in float32; implies avx512
    /// AMX tiles of 16 rows of 64 bytes, with products of bfloat16 and of 8-bit integers; implies
    /// avx512_bf16. The kernel must also permit their use: request_tiles().
    bool amx = false;
};

/// Asks the CPU (cpuid) and the OS (xgetbv). Thread-safe. Takes about a microsecond, and longer in
/// a virtual machine. Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume
/// 1, 14.3 and 15.2.
CpuFeatures probe_cpu() noexcept;

/// Asks the kernel for permission to use tile data, and returns whether it was granted. Call only
/// where probe_cpu() says `amx`. Thread-safe. The permission holds for all threads until the
/// process ends. Linux before 5.16 does not know the request. It refuses where the signal stack of
/// a thread is too small for the larger register state. Source: Linux,
/// Documentation/arch/x86/xstate.rst.
bool request_tiles() noexcept;

}  // namespace vit::inline internal
