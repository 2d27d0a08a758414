#pragma once

#include <cstdint>
#include <vector>

#include "vit/model.h"

namespace vit::tools {

/// [count, channels, height, width], uniform in [-1, 1), the same everywhere: something to measure
/// with where no input was given.
std::vector<float> measuring_images(const ModelInfo& info, std::int64_t count);

}  // namespace vit::tools
