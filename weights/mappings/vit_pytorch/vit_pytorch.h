// ViT and SimpleViT of lucidrains' vit-pytorch as a source.
#pragma once

#include <span>

#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

bool is_vit_pytorch(const Checkpoint& checkpoint);

/// Sizes come from the tensors. Other numbers come from --arch vit_pytorch.ViT:KEY=VALUE,…: heads=N
/// or dim_head=N, pool=cls|mean where both have the same tensors, patch=HxW where patches are not
/// square, and channels=N where there are not 3. SimpleViT's image size comes from --img-size.
/// Throws Error(usage) with the number that is missing.
ResolvedModel resolve_vit_pytorch(const Checkpoint& checkpoint, const ConvertOptions& options);

std::span<const MappingRule> vit_pytorch_rules();

}  // namespace vit::inline internal
