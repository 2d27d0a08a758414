#pragma once

#include "engine/graph/graph.h"
#include "engine/model/model_config.h"

namespace vit::inline internal {

/// The Vision Transformer of Dosovitskiy et al., "An Image is Worth 16x16 Words", 2021, with timm's
/// variations, as `config` says; for images of `image_size`. Training-time modules are nodes where
/// their rates are not zero. All three results are there. Throws Error(usage) when the image size
/// is not a multiple of the patch size.
Graph build_vit(const ModelConfig& config, ImageSize image_size);

}  // namespace vit::inline internal
