// The functions that a caller passes in to run many images.
#pragma once

#include "vit/config.h"

#ifdef VIT_CXX20

#include <cstdint>
#include <functional>
#include <span>

namespace vit {

/// Writes image `index` of a run: [channels, height, width] float32, preprocessed. Returns false
/// where there is no image; its rows of the outputs then stay unchanged.
using FillImage = std::function<bool(std::int64_t index, std::span<float> image)>;

/// Called when the rows of image `index` are written.
using ImageDone = std::function<void(std::int64_t index)>;

}  // namespace vit

#endif  // VIT_CXX20
