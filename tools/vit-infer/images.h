// From an input to a preprocessed image.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tools/vit-infer/inputs.h"
#include "vit/model.h"

namespace vit::infer {

/// Decodes an image file ahead of time; what is wrong with it goes to `input.error`, damage that
/// costs no more than pixels to `input.warning`.
Input decode_ahead(Input input, const DecodeOptions& options);

/// Decodes and preprocesses, or reads a row: writes [channels, height, width] to `out`. Returns
/// what is wrong with the input; empty: nothing. Sets `input.warning`. Takes what decode_ahead()
/// left. Thread-safe for different inputs.
std::string prepare(Input& input, const Transform& transform, std::int64_t channels,
                    const DecodeOptions& options, std::span<float> out);

}  // namespace vit::infer
