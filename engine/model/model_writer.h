// Writes a model file tensor by tensor, so that a large model is never in memory as a whole.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "engine/model/model_file.h"
#include "engine/model/safetensors.h"

namespace vit::inline internal {

/// Like write_model_file, but the bytes come from `write(index, sink)`, which is called once for
/// each tensor in the given order. Throws Error(model) before it writes anything, and Error(io).
void stream_model_file(const std::filesystem::path& path, const ModelHeader& header,
                       const std::vector<TensorHead>& tensors,
                       const std::function<void(std::size_t index, const ByteSink& sink)>& write);

}  // namespace vit::inline internal
