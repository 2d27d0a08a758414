// What this CPU can execute and this operating system saves on a context switch.
#pragma once

namespace vit {

/// Instruction sets that may be used here: the CPU has them and the OS has enabled their registers.
struct CpuFeatures {
    bool avx2_fma = false;     ///< AVX2 and FMA3
    bool avx512 = false;       ///< AVX-512 F, CD, DQ, BW and VL, all five; implies avx2_fma
    bool avx512_bf16 = false;  ///< products of bfloat16 added in float32; implies avx512
};

/// Asks the CPU (cpuid) and the OS (xgetbv). Thread-safe; takes about a microsecond, more in a
/// virtual machine.
/// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, 14.3 and 15.2.
CpuFeatures probe_cpu() noexcept;

}  // namespace vit
