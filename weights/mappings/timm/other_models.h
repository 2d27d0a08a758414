// Recognises models that are not plain Vision Transformers by their tensors.
#pragma once

#include <span>
#include <string_view>

#include "engine/model/tensor.h"

namespace vit::inline internal {

/// "a Swin Transformer", "a ResNet", …; "" where the tensors show no such model.
std::string_view other_model(std::span<const TensorView> tensors);

}  // namespace vit::inline internal
