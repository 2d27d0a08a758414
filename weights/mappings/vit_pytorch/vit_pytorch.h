// ViT and SimpleViT of lucidrains' vit-pytorch.
#pragma once

#include <span>

#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

bool is_vit_pytorch(const Checkpoint& checkpoint);

/// Sizes from the tensors; what they do not tell from --arch vit_pytorch.ViT:heads=N (or dim_head,
/// which goes with it), pool=cls|mean where both have the same tensors, patch=HxW where patches are
/// no squares, channels=N where they are not 3; SimpleViT's image size from --img-size. Throws
/// Error(usage) naming what is not known.
ResolvedModel resolve_vit_pytorch(const Checkpoint& checkpoint, const ConvertOptions& options);

std::span<const MappingRule> vit_pytorch_rules();

}  // namespace vit::inline internal
