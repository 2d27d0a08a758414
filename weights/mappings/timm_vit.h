// Tensor names of timm's VisionTransformer and VisionTransformerDistilled, current and older.
#pragma once

#include <span>

#include "weights/mappings/mapping.h"

namespace vit {

std::span<const MappingRule> timm_vit_rules();

/// Rules for what may be left out of some architectures (Architecture::may_drop_attn_pool).
std::span<const MappingRule> timm_attn_pool_rules();

}  // namespace vit
