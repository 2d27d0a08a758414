// Rules for the tensor names in checkpoints of Hugging Face transformers' vision models.
#pragma once

#include <span>

#include "weights/mappings/common/mapping.h"

namespace vit::inline internal {

std::span<const MappingRule> transformers_vit_rules();  ///< ViT and DeiT
std::span<const MappingRule> transformers_dinov2_rules();
std::span<const MappingRule> transformers_clip_rules();  ///< CLIP's and SigLIP's vision halves

/// Rules that drop tensors that a class does not read.
std::span<const MappingRule> transformers_unread_pooler();
std::span<const MappingRule> transformers_unread_post_norm();
std::span<const MappingRule> transformers_unread_pooling_head();
std::span<const MappingRule> transformers_unread_projection();

}  // namespace vit::inline internal
