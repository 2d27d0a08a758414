// Writes a model file, all at once or tensor by tensor, so that a large model is never in memory as
// a whole.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "engine/model/model_file.h"
#include "engine/model/safetensors.h"

namespace vit::inline internal {

/// Writes header and tensors to `path`, through a temporary file in the same folder, fsync and
/// rename. After an error the old file, or none, is there. The tensors must be exactly those that
/// the header requires, with `packed` first, so that it is aligned. They are written in the given
/// order without gaps. The first one starts at a multiple of 64 bytes. So every tensor is 4-byte
/// aligned, and 64-byte aligned where the sizes before it are multiples of 64 bytes. Throws
/// Error(io), Error(model).
void write_model_file(const std::filesystem::path& path, const ModelHeader& header,
                      const std::vector<TensorView>& tensors);

/// Like write_model_file, but the bytes come from `write(index, sink)`, which is called once for
/// each tensor in the given order. Throws Error(model) before it writes anything, and Error(io).
void stream_model_file(const std::filesystem::path& path, const ModelHeader& header,
                       const std::vector<TensorHead>& tensors,
                       const std::function<void(std::size_t index, const ByteSink& sink)>& write);

}  // namespace vit::inline internal
