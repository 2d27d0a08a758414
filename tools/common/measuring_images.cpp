#include "tools/common/measuring_images.h"

#include <random>

namespace vit::tools {

std::vector<float> measuring_images(const ModelInfo& info, std::int64_t count) {
    std::vector<float> images(
        static_cast<std::size_t>(count * info.channels * info.height * info.width));
    std::mt19937 bits(1);
    for (float& each : images)
        each = static_cast<float>(static_cast<std::int32_t>(bits())) * 0x1p-31f;
    return images;
}

}  // namespace vit::tools
