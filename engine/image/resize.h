// Resamples as Pillow's Image.resize does, with the same bytes. Internal.
#pragma once

#include <cstdint>

#include "vit/image.h"

namespace vit::inline internal::image {

/// A window of the resized image, in pixels. It must be inside the image.
struct Window {
    std::int64_t top = 0;
    std::int64_t left = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
};

/// Returns the `window` of `image` resized to height × width, and computes only its pixels. Equal
/// to `image.resize((width, height), filter).crop(window)` in Pillow 13.0.0, for an image that was
/// converted to RGB first. `image` must come from checked(). Thread-safe.
Image resize(const ImageView& image, std::int64_t height, std::int64_t width, Filter filter,
             const Window& window);

}  // namespace vit::inline internal::image
