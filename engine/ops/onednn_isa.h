#pragma once

#include <string>

namespace vit::inline internal {

/// What oneDNN uses in this process, as far as the engine's choices depend on it.
enum class OnednnLevel {
    vectors,      ///< less than AVX-512
    avx512,       ///< without bfloat16
    avx512_bf16,  ///< AVX512_BF16
    amx,          ///< AMX: bfloat16 sums whose order depends on the number of rows
};

/// The CPU's best, or less where the host program (dnnl::set_max_cpu_isa) or ONEDNN_MAX_CPU_ISA say
/// so. The engine never changes it. From the first call on, oneDNN does not let others change it.
OnednnLevel onednn_level();

/// The library's version and the instructions that it uses, for people.
std::string onednn_name();

}  // namespace vit::inline internal
