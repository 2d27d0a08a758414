// What the decoders of the single formats share. Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "vit/error.h"
#include "vit/image.h"

namespace vit::inline internal::image {

/// Bytes of one image file, and how to refuse them.
struct Source {
    std::span<const std::byte> bytes;
    std::string name;  ///< for messages, already printable
    std::uint64_t max_pixels = 0;

    const unsigned char* data() const {
        return reinterpret_cast<const unsigned char*>(bytes.data());
    }
    std::size_t size() const { return bytes.size(); }
};

/// Throws Error(kind): "NAME: WHAT".
[[noreturn]] void refuse(const Source& source, const std::string& what,
                         ErrorKind kind = ErrorKind::input);

/// Throws Error(input): "NAME: damaged FORMAT file: DETAIL (N bytes read); …".
[[noreturn]] void refuse_damaged(const Source& source, const char* format,
                                 const std::string& detail);

/// An image of the size that a header declares, all zero. Throws Error(input) before it allocates
/// when a side is 0 or beyond 65,535, or when there are more than source.max_pixels.
Image new_image(const Source& source, std::uint64_t height, std::uint64_t width);

/// As new_image, but only checks.
void check_size(const Source& source, std::uint64_t height, std::uint64_t width);

Image decode_jpeg(const Source& source);
Image decode_png(const Source& source);
Image decode_webp(const Source& source);

/// The EXIF orientation (1 to 8) of a JPEG (APP1), PNG (eXIf) or WebP (EXIF chunk).
/// 1 where there is none, and where it makes no sense: wrong metadata spoil no image.
int exif_orientation(std::span<const std::byte> file);

/// The upright image of one stored with this orientation, as Pillow's ImageOps.exif_transpose.
Image apply_orientation(Image image, int orientation);

/// Spreads `width` grey samples at the start of a row over the whole row of RGB pixels.
inline void grey_to_rgb_in_place(std::uint8_t* row, std::size_t width) {
    for (std::size_t x = width; x-- > 0;) {
        const std::uint8_t v = row[x];
        row[3 * x] = row[3 * x + 1] = row[3 * x + 2] = v;
    }
}

}  // namespace vit::inline internal::image
