// What vit-convert tells about a conversion.
#pragma once

#include <string>

#include "weights/mappings/convert.h"

namespace vit::tools {

/// One line, one that says what images will go through, and one more for each choice that was made
/// (which weights, a resized table); what was left out is counted here and listed by --inspect.
std::string summary(const Converted& model, const std::string& output);

/// --inspect: the model's numbers, every key and every tensor with what became of it.
std::string inspection(const Converted& model, const Checkpoint& checkpoint);

}  // namespace vit::tools
