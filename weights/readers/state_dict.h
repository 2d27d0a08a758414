// The model's weights inside a torch checkpoint, and the names that timm gives them.
#pragma once

#include "weights/readers/checkpoint.h"
#include "weights/readers/torch_archive.h"

namespace vit::inline internal {

/// Finds the weights in timm's order (state_dict_ema, model_ema, state_dict, model, or the mapping
/// itself) and fills tensors, arch, notes and storage. Checks every tensor before it copies one.
/// Throws Error(format), Error(model), Error(unsupported).
void take_state_dict(const TorchArchive& archive, EmaChoice ema, Checkpoint& checkpoint);

/// Returns `name` without the parts that wrappers add to it, at any place: `module.`
/// (DataParallel, AveragedModel), `_orig_mod.` (torch.compile), `_fsdp_wrapped_module.`,
/// `_checkpoint_wrapped_module.`, `_forward_module.`.
std::string without_wrappers(std::string_view name);

/// Removes these parts from all names. Throws Error(model) where two tensors then have the same
/// name, or where a name is not UTF-8.
void clean_names(Checkpoint& checkpoint, std::string_view where);

}  // namespace vit::inline internal
