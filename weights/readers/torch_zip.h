// Checkpoints of torch.save since PyTorch 1.6: a zip of data.pkl and one member per storage.
#pragma once

#include <span>
#include <string_view>

#include "weights/readers/torch_archive.h"
#include "weights/readers/zip_members.h"

namespace vit::inline internal {

/// True when one of the members is the data.pkl of a torch archive.
bool is_torch_zip(std::span<const ZipMember> members);

/// Reads the structure; tensors are checked by checked_tensor(). Storages may be deflated (by a zip
/// tool) and big-endian; they are inflated later, up to three times the archive's size plus 64 MiB.
/// Refused: versions that torch does not know, TorchScript. `where` names the archive in messages.
/// Throws Error(format), Error(model), Error(unsupported).
TorchArchive read_torch_zip(std::span<const ZipMember> members, std::string_view where);

}  // namespace vit::inline internal
