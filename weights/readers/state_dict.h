// The model's weights inside a torch checkpoint, and the names that timm gives them.
#pragma once

#include "weights/readers/checkpoint.h"
#include "weights/readers/torch_archive.h"

namespace vit::inline internal {

/// Finds the weights in timm's order (state_dict_ema, model_ema, state_dict, model, else the
/// mapping itself) and fills tensors, arch, notes and storage. Every tensor is checked before any
/// is copied. Throws Error(format), Error(model), Error(unsupported).
void take_state_dict(const TorchArchive& archive, EmaChoice ema, Checkpoint& checkpoint);

/// `name` without the parts that wrappers put into it, wherever they stand: `module.`
/// (DataParallel, AveragedModel), `_orig_mod.` (torch.compile), `_fsdp_wrapped_module.`,
/// `_checkpoint_wrapped_module.`, `_forward_module.`.
std::string without_wrappers(std::string_view name);

/// Takes those parts out of all names. Throws Error(model) when two tensors then have one name, or
/// a name is not UTF-8.
void clean_names(Checkpoint& checkpoint, std::string_view where);

}  // namespace vit::inline internal
