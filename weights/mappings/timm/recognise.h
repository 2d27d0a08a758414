// Describes a model that nothing names, from its tensors.
#pragma once

#include <span>
#include <string>

#include "engine/model/tensor.h"

namespace vit::inline internal {

/// Returns one sentence for the error when no architecture is named: which numbers follow from the
/// tensors, which do not, and which of timm's architectures fit. For a checkpoint of another
/// library, it names that library.
std::string describe_unnamed(std::span<const TensorView> tensors);

/// Returns the library whose names these are where it is not timm, and what to do:
/// "a Hugging Face transformers model: put its config.json …". Otherwise returns "".
std::string foreign_source(std::span<const TensorView> tensors);

}  // namespace vit::inline internal
