// From inputs to a batch of preprocessed images.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/vit-infer/inputs.h"
#include "vit/model.h"

namespace vit::infer {

/// The first image, decoded while the model was still loading.
struct Decoded {
    Input input;
    Image image;        ///< empty where `input` is a tensor row or bad
    std::string error;  ///< not empty: decoding failed
};

Decoded decode(Input input, const DecodeOptions& options);

/// Images of one run and what became of every input. Only those without an error have pixels.
struct Batch {
    std::vector<std::string> names;
    std::vector<std::string> errors;  ///< empty: all well
    std::vector<float> pixels;        ///< [good, channels, height, width], in input order
    std::int64_t good = 0;
};

/// Decodes and preprocesses on up to `threads` threads; `first` (if any) comes before `inputs`.
/// What is wrong with an image goes to its error, nothing is thrown but Error(memory).
Batch prepare(std::optional<Decoded> first, std::span<const Input> inputs,
              const Transform& transform, std::int64_t channels, const DecodeOptions& options,
              int threads);

}  // namespace vit::infer
