// Turns an input into a preprocessed image.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tools/vit-infer/inputs.h"
#include "vit/model.h"

namespace vit::infer {

/// Decodes an image file ahead of time. Stores an error in `input.error`. If damage costs only some
/// pixels, stores a warning in `input.warning`.
Input decode_ahead(Input input, const DecodeOptions& options);

/// Decodes and preprocesses an image, or reads a row, and writes [channels, height, width] to
/// `out`. Returns an error text; empty if there is no error. Sets `input.warning`. Uses the result
/// of decode_ahead(), if there is one. Thread-safe for different inputs.
std::string prepare(Input& input, const Transform& transform, std::int64_t channels,
                    const DecodeOptions& options, std::span<float> out);

}  // namespace vit::infer
