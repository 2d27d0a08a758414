#include "engine/image/view.h"

#include <fmt/format.h>

#include <cstring>
#include <limits>

#include "vit/error.h"

namespace vit::inline internal::image {
namespace {

bool is_side(std::int64_t side) {
    return side >= 1 && side <= max_view_side;
}

}  // namespace

std::int64_t pixel_bytes(PixelFormat format) {
    switch (format) {
        case PixelFormat::rgb:
        case PixelFormat::bgr:
            return 3;
        case PixelFormat::rgba:
            return 4;
        case PixelFormat::gray:
            return 1;
    }
    throw Error(ErrorKind::usage,
                fmt::format("image view: expected the format rgb, bgr, rgba or gray, found {}",
                            static_cast<int>(format)));
}

ImageView checked(const ImageView& view) {
    if (view.data == nullptr) {
        throw Error(ErrorKind::usage, "image view: expected pixels, found a null pointer");
    }
    if (!is_side(view.height) || !is_side(view.width)) {
        throw Error(ErrorKind::usage,
                    fmt::format("image view: expected sides of 1 to {} pixels, found {} x {}",
                                max_view_side, view.width, view.height));
    }
    ImageView result = view;
    const std::int64_t row = view.width * pixel_bytes(view.format);
    if (view.stride == 0) {
        result.stride = row;
    }
    // The upper bound prevents an overflow in the address of the last row.
    if (result.stride < row ||
        result.stride > std::numeric_limits<std::int64_t>::max() / view.height) {
        throw Error(ErrorKind::usage,
                    fmt::format("image view: expected a stride of at least {} bytes for {} pixels "
                                "of {} bytes, or 0, found {}",
                                row, view.width, pixel_bytes(view.format), view.stride));
    }
    return result;
}

void copy_as_rgb(const std::uint8_t* pixels, PixelFormat format, std::size_t count,
                 std::uint8_t* rgb) {
    if (format == PixelFormat::rgb) {
        std::memcpy(rgb, pixels, count * 3);
        return;
    }
    // The index of the red, green and blue sample of a pixel.
    const std::size_t red = format == PixelFormat::bgr ? 2 : 0;
    const std::size_t green = format == PixelFormat::gray ? 0 : 1;
    const std::size_t blue = format == PixelFormat::rgba ? 2 : 0;
    const auto step = static_cast<std::size_t>(pixel_bytes(format));
    for (std::size_t i = 0; i < count; ++i, pixels += step, rgb += 3) {
        rgb[0] = pixels[red];
        rgb[1] = pixels[green];
        rgb[2] = pixels[blue];
    }
}

}  // namespace vit::inline internal::image

namespace vit {

Image::operator ImageView() const {
    using image::is_side;
    if (!is_side(height) || !is_side(width) ||
        rgb.size() != static_cast<std::size_t>(height * width * 3)) {
        throw Error(ErrorKind::input,
                    fmt::format("image: expected height x width x 3 bytes, found {} x {} and {} "
                                "bytes",
                                height, width, rgb.size()));
    }
    return {rgb.data(), height, width, width * 3, PixelFormat::rgb};
}

}  // namespace vit
