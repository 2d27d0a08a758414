// --quantize: turns a converted model into an int8 model, and measures what that costs.
#pragma once

#include <filesystem>
#include <optional>

#include "tools/vit-convert/steps.h"
#include "weights/mappings/convert.h"

namespace vit::tools {

struct QuantizeOptions {
    std::filesystem::path calibrate;  ///< folder of images; empty: none
    /// The largest drop to allow, in percentage points: of accuracy where the classes of the images
    /// are known, otherwise of the agreement with float (top-1, or the mean cosine of features).
    std::optional<double> max_drop;
};

/// Quantises the linears of blocks. Keeps the linears with the largest errors in float until the
/// drop is small enough. Throws Error(input), Error(io), Error(unsupported) about the images,
/// Error(model) where the model cannot be quantised within max_drop.
void quantize_model(Converted& model, const QuantizeOptions& options, Steps& steps);

}  // namespace vit::tools
