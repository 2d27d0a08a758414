// Rounds the weights of a model to int8.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/model/model_file.h"
#include "engine/model/tensor.h"

namespace vit::inline internal {

/// A weight [out, in]: scales[o] · numbers[o · in + i].
struct QuantizedWeight {
    std::vector<std::int8_t> numbers;  ///< within ±127
    std::vector<float> scales;  ///< [out]: the largest magnitude of the output's weights / 127
};

/// `weight` is [out, in], of a floating-point type. Throws Error(model) with the tensor's name
/// where a value is not finite.
QuantizedWeight quantize_weight(const TensorView& weight);

/// Tensors of a model file, and the memory of those that are new.
struct QuantizedTensors {
    std::vector<TensorView> tensors;
    std::shared_ptr<const void> storage;
};

/// Rounds the weights that a model with this header stores as int8, and adds their scales. Views to
/// all other tensors stay. `header.dtype` must be i8. Throws what quantize_weight throws.
QuantizedTensors quantize_weights(const ModelHeader& header, std::span<const TensorView> tensors);

}  // namespace vit::inline internal
