// Checkpoints of torch.save before PyTorch 1.6, and with _use_new_zipfile_serialization=False: five
// pickles (magic number, protocol, sizes of C types, content, keys) and then the storages.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "weights/readers/torch_archive.h"

namespace vit::inline internal {

/// Returns whether the bytes begin with the format's magic number.
bool looks_like_torch_legacy(std::span<const std::byte> bytes) noexcept;

/// Reads the structure. checked_tensor() checks the tensors. The storages are little-endian on
/// every machine. `where` names the file in messages.
/// Throws Error(format), Error(model), Error(unsupported).
TorchArchive read_torch_legacy(std::span<const std::byte> bytes, std::string_view where);

}  // namespace vit::inline internal
