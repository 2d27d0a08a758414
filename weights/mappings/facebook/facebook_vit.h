// Checkpoints of Facebook's DINO, DINOv2 and MAE as their own code saves them.
#pragma once

#include <span>

#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

/// By what only these have: `backbone.` prefixes, chunked blocks, mask tokens, registers, decoders.
/// Plain backbones have timm's names and are timm's, as is all that has a config.json.
bool is_facebook(const Checkpoint& checkpoint);

/// True also for an encoder alone, whose names are timm's.
bool has_facebooks_blocks(const Checkpoint& checkpoint);

/// The encoder without a head: its logits are the normed class token. Sizes from the tensors; heads
/// from the published model of these sizes, from a timm architecture or from --arch
/// facebook.VisionTransformer:heads=N. Throws Error(usage) where they are not known.
ResolvedModel resolve_facebook(const Checkpoint& checkpoint, const ConvertOptions& options);

std::span<const MappingRule> facebook_rules();

}  // namespace vit::inline internal
