// Google's Vision Transformers as .npz: the original ViT, AugReg, big_vision (SigLIP among them).
#pragma once

#include <span>

#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

bool is_npz_vit(const Checkpoint& checkpoint);

/// All sizes come from the tensors. Activation, eps and preprocessing are timm's for the
/// architecture that --arch names, or timm's usual ones. Throws Error(usage) where the position
/// table is computed and --img-size is missing.
ResolvedModel resolve_npz_vit(const Checkpoint& checkpoint, const ConvertOptions& options);

std::span<const MappingRule> npz_vit_rules();

}  // namespace vit::inline internal
