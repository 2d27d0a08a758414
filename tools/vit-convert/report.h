// What vit-convert prints about a conversion.
#pragma once

#include <string>

#include "weights/mappings/convert.h"

namespace vit::tools {

/// One line about the model, one line about how images are prepared, and one line for each choice
/// (which weights, a resized table). Dropped tensors and keys are only counted here; --inspect
/// lists them.
std::string summary(const Converted& model, const std::string& output);

/// --inspect: the model's numbers, then every key and every tensor with how it was used.
std::string inspection(const Converted& model, const Checkpoint& checkpoint);

}  // namespace vit::tools
