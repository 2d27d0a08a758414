// Google's Vision Transformers in .npz files as a source: the original ViT, AugReg, and big_vision
// with SigLIP.
#pragma once

#include <span>

#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

bool is_npz_vit(const Checkpoint& checkpoint);

/// All sizes come from the tensors. Activation, eps and preprocessing are those of the named timm
/// architecture, otherwise those that timm has for Google's ViTs in general. Throws Error(usage)
/// where the position table is computed and --img-size is missing.
ResolvedModel resolve_npz_vit(const Checkpoint& checkpoint, const ConvertOptions& options);

std::span<const MappingRule> npz_vit_rules();

}  // namespace vit::inline internal
