// Which tensors a model file has: their names, shapes and element types.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/model/model_file.h"
#include "engine/model/safetensors.h"
#include "engine/model/tensor.h"

namespace vit::inline internal {

struct TensorSpec {
    std::string name;
    Shape shape;
};

/// Names and shapes of the tensors that `config` needs, in canonical order. The converter, the
/// check of model files and the graph builder all use this list.
std::vector<TensorSpec> required_tensors(const ModelConfig& config);

/// The element type in which a model of precision `model` stores the tensor: bf16 for weights that
/// are multiplied in bf16 (matrices of patch embedding and blocks), otherwise f32.
DType stored_dtype(const TensorSpec& tensor, DType model);

/// Throws Error(model) unless `tensors` are exactly those that the header needs, in any order.
/// `where`: for messages.
void check_tensors(const ModelHeader& header, std::span<const TensorHead> tensors,
                   const std::string& where);

}  // namespace vit::inline internal
