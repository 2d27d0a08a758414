// What this machine could do at best: the yardstick of --profile and vit-bench.
#pragma once

#include <optional>
#include <string_view>

#include "vit/model.h"

namespace vit::tools {

/// What is multiplied, and by which instruction; sums are float32 in all.
enum class Arithmetic {
    f32,         ///< fused multiply-adds of the widest vectors that this CPU has
    bf16,        ///< AVX-512's dot product, vdpbf16ps
    bf16_tiles,  ///< products of AMX tiles, tdpbf16ps
};

/// "vdpbf16ps (AVX-512)"
std::string_view instruction_name(Arithmetic arithmetic);

/// What linears and attention of a model run on, in `precision` with the kernels `isa`
/// (ModelInfo::isa).
Arithmetic arithmetic_of(Precision precision, std::string_view isa);

/// Empty where this machine can run it; otherwise what is missing. Asks the kernel to let this
/// process use AMX tiles, for bf16_tiles.
std::string_view why_no_peak(Arithmetic arithmetic);

/// Multiply-adds in registers alone, in GFLOP/s (2 a multiply-add) of `threads` threads at once;
/// the best of a few runs, about 0.1 s in all. Nothing where why_no_peak() says something.
std::optional<double> measure_peak(Arithmetic arithmetic, int threads);

}  // namespace vit::tools
