// Finds the model's weights in a torch checkpoint, and removes what wrappers add to their names.
#pragma once

#include "weights/readers/checkpoint.h"
#include "weights/readers/torch_archive.h"

namespace vit::inline internal {

/// Finds the weights and fills tensors, other_entries, arch, notes and storage. EMA weights are
/// under state_dict_ema or model_ema, other weights under state_dict, model or model_state_dict, in
/// timm's order. Without any of these, the EMA weights are under teacher and the others under
/// student, or the mapping itself has the weights. Checks every tensor before it copies any. Throws
/// Error(format), Error(model), Error(unsupported), Error(memory).
void take_state_dict(const TorchArchive& archive, EmaChoice ema, Checkpoint& checkpoint);

/// `name` without the parts that wrappers add to it, at any place: `module.` (DataParallel,
/// AveragedModel), `_orig_mod.` (torch.compile), `_fsdp_wrapped_module.`,
/// `_checkpoint_wrapped_module.`, `_forward_module.`.
std::string without_wrappers(std::string_view name);

/// Removes those parts from all names. Throws Error(model) where two tensors then have the same
/// name, or where a name is not UTF-8. `where` names the file in messages.
void clean_names(Checkpoint& checkpoint, std::string_view where);

}  // namespace vit::inline internal
