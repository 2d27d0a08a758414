#include "tools/looking/seen_image.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace vit::looking {

namespace {

std::uint8_t byte(float value) {
    return static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0f, 1.0f)));
}

}  // namespace

Image seen_image(std::span<const float> pixels, std::int64_t channels, const Transform& transform) {
    const auto area = static_cast<std::size_t>(transform.height * transform.width);
    Image image{transform.height, transform.width, std::vector<std::uint8_t>(3 * area)};
    if (channels == 3) {
        for (std::size_t c = 0; c < 3; ++c)
            for (std::size_t i = 0; i < area; ++i)
                image.rgb[3 * i + c] =
                    byte(pixels[c * area + i] * transform.std[c] + transform.mean[c]);
        return image;
    }
    std::vector<float> mean(area);
    for (std::size_t i = 0; i < pixels.size(); ++i)
        mean[i % area] += pixels[i] / static_cast<float>(channels);
    const auto [least, most] = std::ranges::minmax(mean);
    const float range = most > least ? most - least : 1;
    for (std::size_t i = 0; i < 3 * area; ++i) image.rgb[i] = byte((mean[i / 3] - least) / range);
    return image;
}

}  // namespace vit::looking
