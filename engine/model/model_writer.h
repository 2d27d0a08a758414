// Writes model files: at once, or tensor by tensor, so that a large model is never in memory whole.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "engine/model/model_file.h"
#include "engine/model/safetensors.h"

namespace vit::inline internal {

/// Writes header and tensors to `path`: temporary file beside it, fsync, rename. On any error the
/// old file (or none) is left. Tensors must be exactly what the header asks for (`packed` first, so
/// that it is aligned); they are written
/// in the given order without gaps, the first at a multiple of 64 bytes: every tensor is 4-byte
/// aligned, and 64-byte aligned while the sizes before it are multiples of 64 bytes. Throws
/// Error(io), Error(model).
void write_model_file(const std::filesystem::path& path, const ModelHeader& header,
                      const std::vector<TensorView>& tensors);

/// As write_model_file, but the bytes come from `write(index, sink)`, called once for every tensor
/// in the given order. Throws Error(model) before anything is written, Error(io).
void stream_model_file(const std::filesystem::path& path, const ModelHeader& header,
                       const std::vector<TensorHead>& tensors,
                       const std::function<void(std::size_t index, const ByteSink& sink)>& write);

}  // namespace vit::inline internal
