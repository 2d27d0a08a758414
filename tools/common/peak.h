// What this machine could do at best: the yardstick of --profile and vit-bench.
#pragma once

namespace vit::tools {

/// Multiply-adds in registers alone, float32, in GFLOP/s (2 a multiply-add) of `threads` threads at
/// once, with the widest vectors this CPU has; the best of a few runs, about 0.1 s in all.
double measure_fma_peak(int threads);

}  // namespace vit::tools
