// What tensors tell about a model that nothing names.
#pragma once

#include <span>
#include <string>

#include "engine/model/tensor.h"

namespace vit::inline internal {

/// One sentence for the error when no architecture is named: what the tensors tell, what they
/// cannot tell, and which of timm's architectures fit. Or whose checkpoint it is, where it is not
/// timm's.
std::string describe_unnamed(std::span<const TensorView> tensors);

/// Whose names they are where that is another source than timm, and what to do:
/// "a Hugging Face transformers model: put its config.json …"; else "".
std::string foreign_source(std::span<const TensorView> tensors);

}  // namespace vit::inline internal
