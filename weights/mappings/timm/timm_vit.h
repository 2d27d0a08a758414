// timm as a source: its configuration, and the tensor names of its VisionTransformer and
// VisionTransformerDistilled, current and older.
#pragma once

#include <span>

#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

/// Resolves the model from config.json, the checkpoint's own `arch` or --arch. Throws Error(usage)
/// where none of them names an architecture; the message describes the tensors. Throws Error(model)
/// where the tensors are of another kind of model or of another library.
ResolvedModel resolve_timm(const Checkpoint& checkpoint, const ConvertOptions& options);

std::span<const MappingRule> timm_vit_rules();

/// Rules that drop the attention pooling of some architectures (Architecture::may_drop_attn_pool).
std::span<const MappingRule> timm_attn_pool_rules();

}  // namespace vit::inline internal
