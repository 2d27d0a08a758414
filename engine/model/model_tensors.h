// Which tensors a model file has: their names, shapes and element types.
#pragma once

#include <span>
#include <string>
#include <string_view>
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

/// The element type in which the model file stores the tensor. bf16 for weights that are multiplied
/// in bf16 (matrices of patch embedding and blocks), i8 for weights that are multiplied in int8
/// (matrices of blocks, without `float_linears`), otherwise f32.
DType stored_dtype(const TensorSpec& tensor, const ModelHeader& header);

/// The name of the scales [out] of an int8 weight [out, in]. A weight is scale · number.
std::string scale_name(std::string_view weight);

/// The largest sum of the magnitudes of numbers 2i and 2i + 1 of an output of an int8 weight. With
/// it, an unsigned byte times a number plus the same for the next input always fits int16.
inline constexpr int int8_pair_limit = 128;

/// The names of the int8 weights among these tensors, in order.
std::vector<std::string> int8_weights(std::span<const TensorView> tensors);

/// The tensors of a model file: those of required_tensors, and the scales after each int8 weight.
std::vector<TensorSpec> file_tensors(const ModelHeader& header);

/// Throws Error(model) unless `tensors` are exactly those that the header needs, in any order.
/// `where`: for messages.
void check_tensors(const ModelHeader& header, std::span<const TensorHead> tensors,
                   const std::string& where);

}  // namespace vit::inline internal
