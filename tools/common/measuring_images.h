#pragma once

#include <cstdint>
#include <vector>

#include "vit/model.h"

namespace vit::tools {

/// Images to measure with when the user gave none: [count, channels, height, width], uniform in
/// [-1, 1). The values are the same on every machine.
std::vector<float> measuring_images(const ModelInfo& info, std::int64_t count);

}  // namespace vit::tools
