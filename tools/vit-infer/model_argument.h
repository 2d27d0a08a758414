// What else than a model file is given as MODEL, and what to do then.
#pragma once

#include <filesystem>

namespace vit::infer {

/// Throws Error(io) for a folder and Error(model) for an image, an array or a torch checkpoint,
/// saying what it is and what to type; leaves everything else to vit::Model.
void check_model_argument(const std::filesystem::path& model);

}  // namespace vit::infer
