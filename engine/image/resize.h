// Resampling as Pillow's Image.resize, byte for byte. Internal.
#pragma once

#include <cstdint>

#include "vit/image.h"

namespace vit::inline internal::image {

/// A window of the resized image, in its pixels; lies inside it.
struct Window {
    std::int64_t top = 0;
    std::int64_t left = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
};

/// The `window` of `image` resized to height × width; only its pixels are computed. Equal to
/// `image.resize((width, height), filter).crop(window)` of Pillow 13.0.0, of an image that is
/// converted to RGB first. `image` is checked(). Thread-safe.
Image resize(const ImageView& image, std::int64_t height, std::int64_t width, Filter filter,
             const Window& window);

}  // namespace vit::inline internal::image
