// torchvision's VisionTransformer (vit_b_16 and similar models) as a source.
#pragma once

#include <span>

#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

bool is_torchvision(const Checkpoint& checkpoint);

/// Sizes come from the tensors. The number of heads comes from --arch
/// torchvision.VisionTransformer:heads=N, otherwise from the model of torchvision that has these
/// sizes. Throws Error(usage) where it is unknown. weights=NAME in --arch selects the
/// preprocessing.
ResolvedModel resolve_torchvision(const Checkpoint& checkpoint, const ConvertOptions& options);

std::span<const MappingRule> torchvision_rules();

}  // namespace vit::inline internal
