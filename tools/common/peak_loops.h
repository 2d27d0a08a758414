// The loops that measure_peak() times.
#pragma once

namespace vit::tools {

/// Does `rounds` rounds of independent multiply-adds; returns the floating-point operations done.
using PeakLoop = double (*)(long rounds);

/// vdpbf16ps; for CPUs with AVX512_BF16 only. nullptr where the compiler does not know it.
PeakLoop bf16_dot_product_loop();

}  // namespace vit::tools
