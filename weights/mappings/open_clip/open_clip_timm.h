// open_clip's image towers that use timm's models as a source, with those of SigLIP and SigLIP 2.
#pragma once

#include <span>

#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

bool is_open_clip_timm(const Checkpoint& checkpoint);

/// The tower's output, not normalised, becomes the model's logits, or its features where timm_proj
/// is "none". The configuration comes from --arch with timm's name, and then also has timm's
/// pooling and preprocessing. Without --arch it comes from open_clip_config.json. Throws
/// Error(usage) where there is neither.
ResolvedModel resolve_open_clip_timm(const Checkpoint& checkpoint, const ConvertOptions& options);

std::span<const MappingRule> open_clip_timm_rules();

}  // namespace vit::inline internal
