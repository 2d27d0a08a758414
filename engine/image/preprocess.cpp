// timm's evaluation transform (timm 1.0.31: data/transforms_factory.py, transforms_imagenet_eval).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <new>

#include "engine/image/resize.h"
#include "engine/image/view.h"
#include "vit/error.h"
#include "vit/image.h"

namespace vit {
namespace {

constexpr std::int64_t max_size = image::max_view_side;

void check(const Transform& transform) {
    if (transform.height < 1 || transform.width < 1 || transform.height > max_size ||
        transform.width > max_size) {
        throw Error(
            ErrorKind::usage,
            fmt::format("transform: expected a size of 1 to {} pixels a side, found {} x {}",
                        max_size, transform.height, transform.width));
    }
}

struct Size {
    std::int64_t height;
    std::int64_t width;
};

/// The size to which an image is resized before the crop, where it fits exactly: size / crop_pct,
/// rounded down.
Size scale_size(const Transform& transform) {
    const auto scaled = [&](std::int64_t size) {
        const double result = std::floor(static_cast<double>(size) / transform.crop_pct);
        if (!(result >= 1.0 && result <= static_cast<double>(max_size))) {
            throw Error(
                ErrorKind::usage,
                fmt::format("transform: expected a crop_pct above 0 that keeps sizes within 1 to "
                            "{} pixels, found {} with size {}",
                            max_size, transform.crop_pct, size));
        }
        return static_cast<std::int64_t>(result);
    };
    return {scaled(transform.height), scaled(transform.width)};
}

/// As torchvision's Resize(int): the shorter edge becomes `target`, and the longer edge is rounded
/// down.
Size fit_short_edge(const ImageView& image, std::int64_t target) {
    const std::int64_t shorter = std::min(image.height, image.width);
    const std::int64_t longer = std::max(image.height, image.width);
    const auto scaled = static_cast<std::int64_t>(static_cast<double>(target * longer) /
                                                  static_cast<double>(shorter));
    return image.width <= image.height ? Size{scaled, target} : Size{target, scaled};
}

/// As timm's ResizeKeepRatio: both edges have one ratio, so that the image covers the target, or
/// with `longest` fits into it. Rounds half to even.
Size fit_ratio(const ImageView& image, const Size& target, bool longest) {
    const double ratio_h = static_cast<double>(image.height) / static_cast<double>(target.height);
    const double ratio_w = static_cast<double>(image.width) / static_cast<double>(target.width);
    const double ratio = longest ? std::max(ratio_h, ratio_w) : std::min(ratio_h, ratio_w);
    return {static_cast<std::int64_t>(std::nearbyint(static_cast<double>(image.height) / ratio)),
            static_cast<std::int64_t>(std::nearbyint(static_cast<double>(image.width) / ratio))};
}

Size resized_size(const ImageView& image, const Transform& transform) {
    const Size target = scale_size(transform);
    Size size = target;
    if (transform.crop == Crop::border) {
        size = fit_ratio(image, target, true);
    } else if (transform.crop == Crop::center) {
        size = target.height == target.width ? fit_short_edge(image, target.height)
                                             : fit_ratio(image, target, false);
    }
    if (std::max(size.height, size.width) > std::numeric_limits<std::int32_t>::max()) {
        throw Error(ErrorKind::input,
                    fmt::format("image: {} x {} pixels would be resized to {} x {}: too large",
                                image.width, image.height, size.width, size.height));
    }
    if (size.height < 1 || size.width < 1) {
        throw Error(
            ErrorKind::input,
            fmt::format("image: {} x {} pixels would be resized to {} x {}: too narrow for this "
                        "crop mode",
                        image.width, image.height, size.width, size.height));
    }
    return size;
}

/// The first row or column of the crop in the resized image. Negative where the image is smaller
/// than the crop and gets a border.
std::int64_t crop_offset(std::int64_t size, std::int64_t crop, bool rounds_down) {
    if (crop > size) {
        return -((crop - size) / 2);
    }
    if (rounds_down) {
        return (size - crop) / 2;
    }
    return static_cast<std::int64_t>(std::nearbyint(static_cast<double>(size - crop) / 2.0));
}

/// round(255 * mean), half to even, for the decimal number that `mean` was read from. 0.3f is
/// slightly more than 0.3, and 255 × 0.3 = 76.5 is exactly between two values.
std::uint8_t border_value(float mean) {
    std::array<char, 64> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), mean).ptr;
    double value = 0;
    std::from_chars(text.data(), end, value);
    return static_cast<std::uint8_t>(std::clamp(std::nearbyint(255 * value), 0.0, 255.0));
}

/// Puts `inner` on a background of one colour, with its corner at (top, left).
Image with_border(const Image& inner, const Size& size, std::int64_t top, std::int64_t left,
                  const std::array<std::uint8_t, 3>& fill) {
    Image out{size.height, size.width,
              std::vector<std::uint8_t>(static_cast<std::size_t>(size.height * size.width * 3))};
    for (std::size_t i = 0; i < out.rgb.size(); ++i) {
        out.rgb[i] = fill[i % 3];
    }
    for (std::int64_t y = 0; y < inner.height; ++y) {
        std::copy_n(inner.rgb.data() + y * inner.width * 3, inner.width * 3,
                    out.rgb.data() + ((top + y) * size.width + left) * 3);
    }
    return out;
}

}  // namespace

Image resize_and_crop(const ImageView& view, const Transform& transform) try {
    const ImageView image = image::checked(view);
    check(transform);
    const Size size = resized_size(image, transform);
    const std::int64_t top = crop_offset(size.height, transform.height, transform.crop_rounds_down);
    const std::int64_t left = crop_offset(size.width, transform.width, transform.crop_rounds_down);
    const image::Window window{std::max<std::int64_t>(top, 0), std::max<std::int64_t>(left, 0),
                               std::min(size.height, transform.height),
                               std::min(size.width, transform.width)};
    Image inner = image::resize(image, size.height, size.width, transform.filter, window);
    if (inner.height == transform.height && inner.width == transform.width) {
        return inner;
    }
    std::array<std::uint8_t, 3> fill{};  // torchvision's CenterCrop pads with black
    if (transform.crop == Crop::border) {
        std::transform(transform.mean.begin(), transform.mean.end(), fill.begin(), border_value);
    }
    return with_border(inner, {transform.height, transform.width}, std::max<std::int64_t>(-top, 0),
                       std::max<std::int64_t>(-left, 0), fill);
} catch (const std::bad_alloc&) {
    throw Error(ErrorKind::memory,
                fmt::format("image: not enough memory to resize {} x {} pixels to {} x {}",
                            view.width, view.height, transform.width, transform.height));
}

void preprocess(const ImageView& image, const Transform& transform, std::span<float> out) {
    check(transform);
    const auto pixels = static_cast<std::size_t>(transform.height * transform.width);
    if (out.size() != 3 * pixels) {
        throw Error(ErrorKind::usage,
                    fmt::format("preprocess: expected an output of 3 x {} x {} = {} "
                                "floats, found {}",
                                transform.height, transform.width, 3 * pixels, out.size()));
    }
    const Image cropped = resize_and_crop(image, transform);
    for (std::size_t c = 0; c < 3; ++c) {
        // torch rounds to float32 after the division, after the subtraction and after the second
        // division.
        std::array<float, 256> table{};
        for (std::size_t v = 0; v < table.size(); ++v) {
            const float x = static_cast<float>(v) / 255.0f;
            table[v] = (x - transform.mean[c]) / transform.std[c];
        }
        const std::uint8_t* const in = cropped.rgb.data() + c;
        float* const plane = out.data() + c * pixels;
        for (std::size_t i = 0; i < pixels; ++i) {
            plane[i] = table[in[3 * i]];
        }
    }
}

}  // namespace vit
