// What the decoders of the single formats share. Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

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

/// What a decoder noticed and went on in spite of.
struct Warnings {
    std::string first;
    std::uint64_t count = 0;

    void add(std::string_view text) {
        if (count++ == 0) {
            first = text;
        }
    }
};

/// Throws Error(kind): "NAME: WHAT".
[[noreturn]] void refuse(const Source& source, const std::string& what,
                         ErrorKind kind = ErrorKind::input);

/// Throws Error(input): "NAME: damaged FORMAT file: DETAIL (N bytes read); …".
[[noreturn]] void refuse_damaged(const Source& source, const char* format, std::string_view detail);

/// An image of the size that a header declares, all zero. Throws Error(input) before it allocates
/// when a side is 0 or beyond 65,535, or when there are more than source.max_pixels.
Image new_image(const Source& source, std::uint64_t height, std::uint64_t width);

/// As new_image, but only checks.
void check_size(const Source& source, std::uint64_t height, std::uint64_t width);

/// Throws Error(input) when a header declares a large image, whose pixels would take `least_bytes`
/// at least, and the file is shorter: no small file makes us allocate much.
void check_length(const Source& source, const char* format, std::uint64_t height,
                  std::uint64_t width, std::uint64_t least_bytes);

/// Each decodes what Pillow decodes, to the same pixels, and refuses what Pillow refuses.
Image decode_jpeg(const Source& source, Warnings& warnings);
Image decode_png(const Source& source, Warnings& warnings);
Image decode_webp(const Source& source);

}  // namespace vit::inline internal::image
