// What --info prints.
#pragma once

#include <string>

#include "vit/model.h"

namespace vit::infer {

/// A line for each fact about the model and its file.
std::string info_text(const Model& model);

/// The same as one JSON object.
std::string info_json(const Model& model);

}  // namespace vit::infer
