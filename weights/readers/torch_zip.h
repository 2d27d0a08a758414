// Checkpoints of torch.save since PyTorch 1.6: a zip of data.pkl and one member per storage.
#pragma once

#include <span>
#include <string_view>

#include "weights/readers/torch_archive.h"
#include "weights/readers/zip_members.h"

namespace vit::inline internal {

/// Returns whether one of the members is the data.pkl of a torch archive.
bool is_torch_zip(std::span<const ZipMember> members);

/// Reads the structure. checked_tensor() checks the tensors. Storages may be deflated (by a zip
/// tool) and big-endian. They are inflated later, up to three times the archive's size plus 64 MiB.
/// Refuses versions that torch does not know, and TorchScript. `where` names the archive in
/// messages. Throws Error(format), Error(model), Error(unsupported).
TorchArchive read_torch_zip(std::span<const ZipMember> members, std::string_view where);

}  // namespace vit::inline internal
