// Hugging Face transformers as a source: ViT, DeiT, DINOv2, CLIP's and SigLIP's vision halves.
#pragma once

#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

// By config.json's model_type.
bool is_transformers_vit(const Checkpoint& checkpoint);
bool is_transformers_dinov2(const Checkpoint& checkpoint);
bool is_transformers_clip(const Checkpoint& checkpoint);
/// A model of transformers that no other source takes.
bool is_other_transformers(const Checkpoint& checkpoint);

/// By config.json and preprocessor_config.json, which both must be there. Throws Error as convert.
ResolvedModel resolve_transformers(const Checkpoint& checkpoint, const ConvertOptions& options);

}  // namespace vit::inline internal
