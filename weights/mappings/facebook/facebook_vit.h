// Facebook's DINO, DINOv2 and MAE as a source: checkpoints that their own code saved.
#pragma once

#include <span>

#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

/// Whether the checkpoint has tensors that only these models have: `backbone.` prefixes, blocks in
/// chunks, gated MLPs (w12), mask tokens, registers, decoders. False for plain backbones, because
/// they have timm's names, and where there is a config.json.
bool is_facebook(const Checkpoint& checkpoint);

/// Whether the checkpoint has blocks of these models. Also true for a plain encoder with timm's
/// names.
bool has_facebooks_blocks(const Checkpoint& checkpoint);

/// Resolves the encoder without a head: its logits are the class token after the final norm. Sizes
/// come from the tensors. The number of heads comes from --arch, which names a timm architecture or
/// is facebook.VisionTransformer:heads=N, otherwise from the published model of these sizes. Throws
/// Error(usage) where it is unknown.
ResolvedModel resolve_facebook(const Checkpoint& checkpoint, const ConvertOptions& options);

std::span<const MappingRule> facebook_rules();

}  // namespace vit::inline internal
