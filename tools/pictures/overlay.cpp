#include "tools/pictures/overlay.h"

#include <algorithm>
#include <cmath>

#include "tools/pictures/colours.h"

namespace vit::pictures {

namespace {

constexpr Colour red{214, 40, 20}, blue{30, 80, 220};

/// Calls colour(brightness, value) for each pixel. Pixels that no cell covers have the value 0.
template <class ColourOf>
Image painted(const Image& image, const Grid& grid, Covered covered, ColourOf colour_of) {
    const Grid large = enlarge(grid, covered.height, covered.width);
    Image result = image;
    for (std::int64_t y = 0; y < image.height; ++y)
        for (std::int64_t x = 0; x < image.width; ++x) {
            const bool inside = y < covered.height && x < covered.width;
            const float value =
                inside ? large.values[static_cast<std::size_t>(y * covered.width + x)] : 0.0f;
            std::uint8_t* const pixel =
                result.rgb.data() + static_cast<std::size_t>(3 * (y * image.width + x));
            const Colour colour = colour_of(grey({pixel[0], pixel[1], pixel[2]}), value);
            std::ranges::copy(colour, pixel);
        }
    return result;
}

}  // namespace

std::int64_t enlargement(std::int64_t height, std::int64_t width, std::int64_t least) {
    const std::int64_t longest = std::max(height, width);
    return std::max<std::int64_t>(1, (least + longest - 1) / longest);
}

Image resized(const Image& image, std::int64_t height, std::int64_t width) {
    Transform transform;
    transform.height = height;
    transform.width = width;
    transform.crop_pct = 1;
    transform.crop = Crop::squash;
    transform.filter = Filter::bilinear;
    return resize_and_crop(image, transform);
}

Image heat_over(const Image& image, const Grid& grid, Covered covered) {
    return painted(image, grid, covered, [](std::uint8_t brightness, float value) {
        const Colour base = mix({0, 0, 0}, {brightness, brightness, brightness}, 0.7f);
        // Even the highest values leave some of the image visible.
        return mix(base, inferno(value), 0.15f + 0.6f * std::clamp(value, 0.0f, 1.0f));
    });
}

Image signs_over(const Image& image, const Grid& grid, Covered covered) {
    return painted(image, grid, covered, [](std::uint8_t brightness, float value) {
        const Colour base = mix({0, 0, 0}, {brightness, brightness, brightness}, 0.85f);
        return mix(base, value > 0 ? red : blue, 0.75f * std::min(std::abs(value), 1.0f));
    });
}

}  // namespace vit::pictures
