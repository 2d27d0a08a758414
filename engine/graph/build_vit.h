#pragma once

#include "engine/graph/graph.h"
#include "engine/model/model_config.h"

namespace vit::inline internal {

/// Builds the Vision Transformer of Dosovitskiy et al., "An Image is Worth 16x16 Words", 2021, with
/// timm's variations, from `config`, for images of `image_size`. Modules that act only in training
/// become nodes where their rates are not zero. The graph has all three results. Throws
/// Error(usage) where the image is smaller than one patch.
Graph build_vit(const ModelConfig& config, ImageSize image_size);

}  // namespace vit::inline internal
