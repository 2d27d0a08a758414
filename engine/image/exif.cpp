#include "engine/image/exif.h"

// Finds the orientation tag of EXIF metadata in a file, and turns an image upright.
#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

#include "engine/image/bytes.h"

namespace vit::inline internal::image {
namespace {

using namespace std::string_view_literals;

/// `count` bytes at `offset`, or fewer where the data ends.
Bytes part(Bytes bytes, std::uint64_t offset, std::uint64_t count) {
    const std::uint64_t start = std::min<std::uint64_t>(offset, bytes.size());
    return bytes.subspan(static_cast<std::size_t>(start),
                         static_cast<std::size_t>(std::min(count, bytes.size() - start)));
}

Bytes find_in_jpeg(Bytes file) {
    for (std::uint64_t at = 2;;) {
        const auto marker = number(file, at, 2, false);
        if (!marker) {
            return {};
        }
        if (*marker == 0xffff) {  // a fill byte
            ++at;
            continue;
        }
        const auto length = number(file, at + 2, 2, false);
        if (*marker < 0xff00 || *marker == 0xffda || !length || *length < 2) {
            return {};
        }
        if (*marker == 0xffe1 && has(file, at + 4, "Exif\0\0"sv)) {
            return part(file, at + 4, *length - 2);
        }
        at += 2 + *length;
    }
}

Bytes find_in_png(Bytes file) {
    for (std::uint64_t at = 8;;) {
        const auto length = number(file, at, 4, false);
        if (!length) {
            return {};
        }
        if (has(file, at + 4, "eXIf"sv)) {
            return part(file, at + 8, *length);
        }
        at += 12 + *length;
    }
}

Bytes find_in_webp(Bytes file) {
    for (std::uint64_t at = 12;;) {
        const auto length = number(file, at + 4, 4, true);
        if (!length) {
            return {};
        }
        if (has(file, at, "EXIF"sv)) {
            return part(file, at + 8, *length);
        }
        at += 8 + *length + (*length & 1);
    }
}

/// Reads tag 0x0112 of the first directory of a TIFF structure, with or without "Exif\0\0" before
/// it.
int orientation_of(Bytes tiff) {
    while (has(tiff, 0, "Exif\0\0"sv)) {
        tiff = tiff.subspan(6);
    }
    const bool little = has(tiff, 0, "II"sv);
    if (!little && !has(tiff, 0, "MM"sv)) {
        return 1;
    }
    const auto directory = number(tiff, 4, 4, little);
    const auto count = directory ? number(tiff, *directory, 2, little) : std::nullopt;
    for (std::uint64_t i = 0; count && i < *count; ++i) {
        const std::uint64_t entry = *directory + 2 + 12 * i;
        const auto tag = number(tiff, entry, 2, little);
        if (!tag) {
            return 1;
        }
        if (*tag == 0x0112) {
            const auto type = number(tiff, entry + 2, 2, little);
            const std::size_t bytes = type == 3 ? 2 : type == 4 ? 4 : 1;  // SHORT, LONG, BYTE
            const auto value = number(tiff, entry + 8, bytes, little);
            return value && *value >= 1 && *value <= 8 ? static_cast<int>(*value) : 1;
        }
    }
    return 1;
}

}  // namespace

int exif_orientation(std::span<const std::byte> file) {
    if (has(file, 0, "\xff\xd8"sv)) {
        return orientation_of(find_in_jpeg(file));
    }
    if (has(file, 0, "\x89PNG"sv)) {
        return orientation_of(find_in_png(file));
    }
    if (has(file, 0, "RIFF"sv)) {
        return orientation_of(find_in_webp(file));
    }
    return 1;
}

Image apply_orientation(Image image, int orientation) {
    if (orientation < 2 || orientation > 8) {
        return image;
    }
    const std::int64_t height = image.height;
    const std::int64_t width = image.width;
    const bool swap = orientation >= 5;
    // The loop walks over the upright image. In the stored image it begins at `start`; each row and
    // column of the upright image moves it by a fixed step.
    const bool from_bottom =
        orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    const bool from_right =
        orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const std::int64_t step_y = (from_bottom ? -1 : 1) * width;
    const std::int64_t step_x = from_right ? -1 : 1;
    const std::int64_t start =
        (from_bottom ? (height - 1) * width : 0) + (from_right ? width - 1 : 0);
    const std::int64_t per_row = swap ? step_x : step_y;
    const std::int64_t per_column = swap ? step_y : step_x;

    Image upright{swap ? width : height, swap ? height : width,
                  std::vector<std::uint8_t>(image.rgb.size())};
    std::uint8_t* out = upright.rgb.data();
    for (std::int64_t y = 0; y < upright.height; ++y) {
        for (std::int64_t x = 0; x < upright.width; ++x, out += 3) {
            std::memcpy(out, image.rgb.data() + (start + y * per_row + x * per_column) * 3, 3);
        }
    }
    return upright;
}

}  // namespace vit::inline internal::image
