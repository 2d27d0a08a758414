// The safetensors container: https://github.com/huggingface/safetensors#format
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/tensor.h"

namespace vit::inline internal {

struct Safetensors {
    std::vector<TensorView> tensors;  ///< in the order of their bytes; views into what was parsed
    std::map<std::string, std::string> metadata;
};

/// Header of at most 100 MB, at most 65,536 tensors of rank 8 or less, and byte ranges that fill
/// the rest of `bytes` without holes or overlap. `file` is for messages only (escaped by this
/// function). Throws Error(format) naming the tensor or offset, Error(unsupported) for element
/// types not read here.
Safetensors parse_safetensors(std::span<const std::byte> bytes, std::string_view file);

/// What a file to be written says of one tensor.
struct TensorHead {
    std::string name;
    DType dtype = DType::f32;
    Shape shape;
};

using ByteSink = std::function<void(std::span<const std::byte>)>;

/// Writes a safetensors file, whole or not at all (AtomicFile). `write(index, sink)` is called once
/// for every tensor, in order, and must hand all of its bytes to `sink`, in one piece or several.
/// The data begins at a multiple of 64 bytes, and the tensors follow one another without gaps.
/// Names and metadata must be UTF-8, names distinct. Throws Error(io); Error(internal) when `write`
/// hands over the wrong number of bytes.
void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, std::string>& metadata,
                       const std::vector<TensorHead>& tensors,
                       const std::function<void(std::size_t index, const ByteSink& sink)>& write);

}  // namespace vit::inline internal
