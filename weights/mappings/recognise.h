// What tensors tell about a model that nothing names.
#pragma once

#include <span>
#include <string>

#include "weights/model_file/tensor.h"

namespace vit {

/// One sentence for the error when no architecture is named: what the tensors tell, what they
/// cannot tell, and which of timm's architectures fit. Or whose checkpoint it is, where it is not
/// timm's.
std::string describe_unnamed(std::span<const TensorView> tensors);

/// "a Hugging Face transformers ViT", … where names show another source than timm; else "".
std::string foreign_source(std::span<const TensorView> tensors);

}  // namespace vit
