// The image that a model saw.
#pragma once

#include <span>

#include "vit/image.h"

namespace vit::looking {

/// Turns preprocessed pixels [channels, height, width] back into an image. With 3 channels these
/// are the pixels of resize_and_crop(), if `transform` is the one that they were preprocessed with.
/// With another number of channels, their mean is shown in grey, from its smallest to its largest
/// value.
Image seen_image(std::span<const float> pixels, std::int64_t channels, const Transform& transform);

}  // namespace vit::looking
