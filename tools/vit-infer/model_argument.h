// Recognises files that users pass as MODEL by mistake, and says what to do.
#pragma once

#include <filesystem>

namespace vit::infer {

/// Throws Error(io) for a folder, and Error(model) for an image, an array or a torch checkpoint.
/// The message says what the file is and which command to use. vit::Model checks everything else.
void check_model_argument(const std::filesystem::path& model);

}  // namespace vit::infer
