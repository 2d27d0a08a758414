// Hugging Face transformers as a source: ViT, DeiT, DINOv2, CLIP's and SigLIP's vision halves.
#pragma once

#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

// These functions look at config.json's model_type.
bool is_transformers_vit(const Checkpoint& checkpoint);
bool is_transformers_dinov2(const Checkpoint& checkpoint);
bool is_transformers_clip(const Checkpoint& checkpoint);
/// Whether it is a model of transformers that none of the functions above recognises.
bool is_other_transformers(const Checkpoint& checkpoint);

/// Needs config.json and preprocessor_config.json. Throws what convert throws.
ResolvedModel resolve_transformers(const Checkpoint& checkpoint, const ConvertOptions& options);

}  // namespace vit::inline internal
