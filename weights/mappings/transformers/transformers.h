// Hugging Face transformers as a source: ViT, DeiT, DINOv2, and the vision halves of CLIP and
// SigLIP.
#pragma once

#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

// Whether config.json's model_type is of this family. Throw Error(format) for malformed JSON.
bool is_transformers_vit(const Checkpoint& checkpoint);
bool is_transformers_dinov2(const Checkpoint& checkpoint);
bool is_transformers_clip(const Checkpoint& checkpoint);
/// Whether config.json is of any model of transformers. For models that no other source accepts.
bool is_other_transformers(const Checkpoint& checkpoint);

/// Reads config.json and preprocessor_config.json, which both must exist. Throws Error as convert
/// does.
ResolvedModel resolve_transformers(const Checkpoint& checkpoint, const ConvertOptions& options);

}  // namespace vit::inline internal
