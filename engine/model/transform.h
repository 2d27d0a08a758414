#pragma once

#include "engine/model/model_config.h"
#include "vit/image.h"

namespace vit::inline internal {

/// The transform to images of this size.
inline Transform transform_of(const Preprocessing& p, ImageSize size) {
    return {size.height,     size.width, p.crop_pct, p.crop_mode,
            p.interpolation, p.mean,     p.std,      p.crop_rounding == CropRounding::down};
}

}  // namespace vit::inline internal
