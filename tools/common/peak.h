// What this machine could do at best: the yardstick of --profile and vit-bench.
#pragma once

#include <optional>

namespace vit::tools {

/// What is multiplied; sums are float32 in all.
enum class Arithmetic { f32, bf16 };

/// Multiply-adds in registers alone, in GFLOP/s (2 a multiply-add) of `threads` threads at once,
/// with the widest vectors this CPU has; the best of a few runs, about 0.1 s in all. bf16: the
/// AVX-512 dot product (vdpbf16ps); nothing where this CPU, or the compiler that built this, does
/// not know it.
std::optional<double> measure_peak(Arithmetic arithmetic, int threads);

}  // namespace vit::tools
