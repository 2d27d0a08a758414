// Writing a model file tensor by tensor, so that a large model never stands in memory whole.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "engine/model/model_file.h"
#include "engine/model/safetensors.h"

namespace vit::inline internal {

/// As write_model_file, but the bytes come from `write(index, sink)`, called once for every tensor
/// in the given order. Throws Error(model) before anything is written, Error(io).
void stream_model_file(const std::filesystem::path& path, const ModelHeader& header,
                       const std::vector<TensorHead>& tensors,
                       const std::function<void(std::size_t index, const ByteSink& sink)>& write);

}  // namespace vit::inline internal
