// timm as a source: its configuration, and the tensor names of its VisionTransformer and
// VisionTransformerDistilled, current and older.
#pragma once

#include <span>

#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

/// The architecture comes from config.json, from the checkpoint or from --arch. Throws Error(usage)
/// where none of them names one; the message describes the tensors.
ResolvedModel resolve_timm(const Checkpoint& checkpoint, const ConvertOptions& options);

std::span<const MappingRule> timm_vit_rules();

/// Rules for tensors that some architectures may leave out (Architecture::may_drop_attn_pool).
std::span<const MappingRule> timm_attn_pool_rules();

}  // namespace vit::inline internal
