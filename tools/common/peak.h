// The highest arithmetic speed that this machine reaches. --profile and vit-bench compare their
// results with it.
#pragma once

#include <optional>
#include <string_view>

#include "vit/model.h"

namespace vit::tools {

/// The number format of the factors and the instruction that multiplies them. Sums are float32, and
/// int32 for int8.
enum class Arithmetic {
    f32,         ///< fused multiply-adds on the widest vectors of this CPU
    bf16,        ///< AVX-512's dot product, vdpbf16ps
    bf16_tiles,  ///< products of AMX tiles, tdpbf16ps
    int8,        ///< VNNI's dot product, vpdpbusd, or AVX2's vpmaddubsw, vpmaddwd and vpaddd
    int8_tiles,  ///< products of AMX tiles, tdpbusd
};

/// For example "vdpbf16ps (AVX-512)".
std::string_view instruction_name(Arithmetic arithmetic);

/// The arithmetic that a model's linear layers and attention use in `precision`, with the kernels
/// `isa` (ModelInfo::isa).
Arithmetic arithmetic_of(Precision precision, std::string_view isa);

/// Empty if this machine can run `arithmetic`; otherwise says what is missing. For tiles it
/// asks the kernel to let this process use them.
std::string_view why_no_peak(Arithmetic arithmetic);

/// Speed of multiply-adds that use only registers, in GFLOP/s (2 operations per multiply-add), with
/// `threads` threads running at once. Takes the best of a few runs, about 0.1 s in total. Empty if
/// why_no_peak() names a reason.
std::optional<double> measure_peak(Arithmetic arithmetic, int threads);

}  // namespace vit::tools
