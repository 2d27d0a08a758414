// Checkpoints of Facebook's DINO, DINOv2 and MAE as their own code saves them.
#pragma once

#include <span>

#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

/// Looks for parts that only these checkpoints have: `backbone.` prefixes, chunked blocks, mask
/// tokens, registers, decoders. A plain backbone has timm's names and counts as timm's; so does any
/// checkpoint with a config.json.
bool is_facebook(const Checkpoint& checkpoint);

/// Also true for an encoder without other parts, which has timm's names.
bool has_facebooks_blocks(const Checkpoint& checkpoint);

/// The encoder has no head: its logits are the normed class token. Sizes come from the tensors. The
/// number of heads comes from the published model of these sizes, from a timm architecture, or from
/// --arch facebook.VisionTransformer:heads=N. Throws Error(usage) where it is unknown.
ResolvedModel resolve_facebook(const Checkpoint& checkpoint, const ConvertOptions& options);

std::span<const MappingRule> facebook_rules();

}  // namespace vit::inline internal
