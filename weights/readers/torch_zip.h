// Reads checkpoints that torch.save writes since PyTorch 1.6: a zip archive of data.pkl and one
// member per storage.
#pragma once

#include <span>
#include <string_view>

#include "weights/readers/torch_archive.h"
#include "weights/readers/zip_members.h"

namespace vit::inline internal {

/// Returns whether one of the members is the data.pkl of a torch archive.
bool is_torch_zip(std::span<const ZipMember> members);

/// Reads the structure. checked_tensor() checks the tensors later. Storages may be deflated (by a
/// zip tool), and they may be big-endian. They are inflated later. The members' bytes must outlive
/// the result. `where` names the archive in messages. Throws Error(format) also where the members
/// inflate to more than three times their bytes plus 64 MiB. Throws Error(model) for TorchScript
/// and for names that checkpoints do not need. Throws Error(unsupported) for versions that torch
/// does not know.
TorchArchive read_torch_zip(std::span<const ZipMember> members, std::string_view where);

}  // namespace vit::inline internal
