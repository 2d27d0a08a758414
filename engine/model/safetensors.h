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
    std::vector<TensorView> tensors;  ///< in the order of their bytes; views into the parsed bytes
    std::map<std::string, std::string> metadata;
};

/// Parses a container. It accepts a header of at most 100 MB, at most 65,536 tensors of rank 8 or
/// less, and byte ranges that fill the rest of `bytes` without gaps or overlaps. `file` is only for
/// messages; this function escapes it. Throws Error(format) with the tensor or offset, and
/// Error(unsupported) for element types that it does not read.
Safetensors parse_safetensors(std::span<const std::byte> bytes, std::string_view file);

/// Name, type and shape of one tensor to write.
struct TensorHead {
    std::string name;
    DType dtype = DType::f32;
    Shape shape;
};

using ByteSink = std::function<void(std::span<const std::byte>)>;

/// Writes a safetensors file, completely or not at all (AtomicFile). Calls `write(index, sink)`
/// once for each tensor, in order. It must pass all bytes of the tensor to `sink`, in one or
/// several pieces. The data starts at a multiple of 64 bytes. Tensors follow one another without
/// gaps. Names and metadata must be UTF-8, and names must differ. Throws Error(io), and
/// Error(internal) where `write` passes the wrong number of bytes.
void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, std::string>& metadata,
                       const std::vector<TensorHead>& tensors,
                       const std::function<void(std::size_t index, const ByteSink& sink)>& write);

}  // namespace vit::inline internal
