#pragma once

#include <string>

namespace vit::inline internal {

/// The instructions that oneDNN uses in this process, as far as the engine depends on them.
enum class OnednnLevel {
    vectors,      ///< less than AVX-512
    avx512,       ///< without bfloat16
    avx512_bf16,  ///< AVX512_BF16
    amx,          ///< AMX; the order of bfloat16 sums depends on the number of rows
};

/// The level of the CPU, or a lower one where the host program (dnnl::set_max_cpu_isa) or
/// ONEDNN_MAX_CPU_ISA set it. The engine never changes it. After the first call, oneDNN does not
/// let anyone change it.
OnednnLevel onednn_level();

/// oneDNN's version and the instructions that it uses, as text for users.
std::string onednn_name();

}  // namespace vit::inline internal
