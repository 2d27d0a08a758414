// The image towers of OpenAI's CLIP and of open_clip as a source, in CLIP's own layout.
#pragma once

#include <span>

#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

bool is_clip(const Checkpoint& checkpoint);

/// The tower's output becomes the model's logits. Sizes come from the tensors. The rest comes from
/// --arch clip.openai or clip.open_clip[:quick_gelu=true|false,head_width=N]. Without --arch, it
/// comes from open_clip_config.json, or it is OpenAI's where the checkpoint has OpenAI's numbers
/// (`input_resolution`). Throws Error(usage) where it is unknown.
ResolvedModel resolve_clip(const Checkpoint& checkpoint, const ConvertOptions& options);

std::span<const MappingRule> clip_rules();

}  // namespace vit::inline internal
