// Describes a model that has no name, by its tensors.
#pragma once

#include <span>
#include <string>

#include "engine/model/tensor.h"

namespace vit::inline internal {

/// One sentence for the error where no architecture is named: the numbers that follow from the
/// tensors, those that do not, and timm's architectures that fit. Where the checkpoint is not
/// timm's, the sentence names its library.
std::string describe_unnamed(std::span<const TensorView> tensors);

/// The kind of model whose names these are where it is not timm's, and advice: "a Hugging Face
/// transformers model: put its config.json …". Otherwise "".
std::string foreign_source(std::span<const TensorView> tensors);

}  // namespace vit::inline internal
