// open_clip's image towers that are built on timm's models, SigLIP's and SigLIP 2's among them.
#pragma once

#include <span>

#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

bool is_open_clip_timm(const Checkpoint& checkpoint);

/// The tower's output, not normalised, is the model's logits, or its features where timm_proj is
/// "none". The configuration comes from open_clip_config.json, or from --arch with a name of
/// timm's, whose pooling and preprocessing are then used. Throws Error(usage) where both are
/// missing.
ResolvedModel resolve_open_clip_timm(const Checkpoint& checkpoint, const ConvertOptions& options);

std::span<const MappingRule> open_clip_timm_rules();

}  // namespace vit::inline internal
