// The loops that measure_peak() times.
#pragma once

namespace vit::tools {

/// Runs `rounds` rounds of independent multiply-adds. Returns the number of floating-point
/// operations.
using PeakLoop = double (*)(long rounds);

/// A loop that this machine can run; or nullptr and the reason why it cannot.
struct LoopOrWhyNot {
    PeakLoop loop;
    const char* why_not;
};

/// The vdpbf16ps loop; only for CPUs with AVX512_BF16. nullptr if the compiler does not support the
/// instruction.
PeakLoop bf16_dot_product_loop();

/// The loop of vpdpbusd, or of vpmaddubsw, vpmaddwd and vpaddd.
LoopOrWhyNot int8_loop();

/// The tdpbf16ps loop. Asks the kernel to let this process use tiles.
LoopOrWhyNot bf16_tile_loop();

/// The tdpbusd loop, in the same way.
LoopOrWhyNot int8_tile_loop();

}  // namespace vit::tools
