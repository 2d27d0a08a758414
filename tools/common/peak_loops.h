// The loops that measure_peak() times.
#pragma once

namespace vit::tools {

/// Does `rounds` rounds of independent multiply-adds; returns the floating-point operations done.
using PeakLoop = double (*)(long rounds);

/// A loop that this machine can run, or nullptr and why it cannot.
struct LoopOrWhyNot {
    PeakLoop loop;
    const char* why_not;
};

/// vdpbf16ps; for CPUs with AVX512_BF16 only. nullptr where the compiler does not know it.
PeakLoop bf16_dot_product_loop();

/// tdpbf16ps; asks the kernel to let this process use tiles.
LoopOrWhyNot bf16_tile_loop();

}  // namespace vit::tools
