// Reads checkpoints that torch.save wrote before PyTorch 1.6, or with
// _use_new_zipfile_serialization=False. They have five pickles (magic number, protocol, sizes of C
// types, content, keys), and then the storages.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "weights/readers/torch_archive.h"

namespace vit::inline internal {

/// True when the bytes begin with the pickled magic number of this format.
bool looks_like_torch_legacy(std::span<const std::byte> bytes) noexcept;

/// Reads the structure. checked_tensor() checks the tensors later. The storages are little-endian,
/// even if a big-endian machine wrote them. `bytes` must outlive the result. `where` names the file
/// in messages. Throws Error(format), Error(model), Error(unsupported).
TorchArchive read_torch_legacy(std::span<const std::byte> bytes, std::string_view where);

}  // namespace vit::inline internal
