// Google's Vision Transformers as .npz: the original ViT, AugReg, big_vision (SigLIP among them).
#pragma once

#include <span>

#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

bool is_npz_vit(const Checkpoint& checkpoint);

/// All sizes from the tensors. Activation, eps and preprocessing are what timm takes for the
/// architecture that --arch names, else for its ViTs in general. Throws Error(usage) where the
/// position table is computed and no --img-size says how large.
ResolvedModel resolve_npz_vit(const Checkpoint& checkpoint, const ConvertOptions& options);

std::span<const MappingRule> npz_vit_rules();

}  // namespace vit::inline internal
