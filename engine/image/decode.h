// Shared by the decoders of the formats. Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "vit/error.h"
#include "vit/image.h"

namespace vit::inline internal::image {

/// The bytes of one image file, and what is needed to refuse them.
struct Source {
    std::span<const std::byte> bytes;
    std::string name;  ///< for messages, already printable
    std::uint64_t max_pixels = 0;

    const unsigned char* data() const {
        return reinterpret_cast<const unsigned char*>(bytes.data());
    }
    std::size_t size() const { return bytes.size(); }
};

/// Damage that a decoder found but could ignore.
struct Warnings {
    std::string first;
    std::uint64_t count = 0;

    void add(std::string_view text) {
        if (count++ == 0) {
            first = text;
        }
    }
};

/// Throws Error(kind) with the text "NAME: WHAT".
[[noreturn]] void refuse(const Source& source, const std::string& what,
                         ErrorKind kind = ErrorKind::input);

/// Throws Error(input): "NAME: expected a whole FORMAT image, …".
[[noreturn]] void refuse_damaged(const Source& source, const char* format, std::string_view detail);

/// Returns a black image of the size that a header declares. Before it allocates, throws
/// Error(input) where a side is 0 or above 65,535, or the image has more than source.max_pixels
/// pixels.
Image new_image(const Source& source, std::uint64_t height, std::uint64_t width);

/// The same checks as new_image, without the image.
void check_size(const Source& source, std::uint64_t height, std::uint64_t width);

/// Throws Error(input) where a header declares a large image and the file is shorter than
/// `least_bytes`, the fewest bytes that its pixels can take. So a small file cannot make us
/// allocate much.
void check_length(const Source& source, const char* format, std::uint64_t height,
                  std::uint64_t width, std::uint64_t least_bytes);

/// Each function decodes what Pillow decodes, to the same pixels, and refuses what Pillow refuses.
Image decode_jpeg(const Source& source, Warnings& warnings);
Image decode_png(const Source& source, Warnings& warnings);
Image decode_webp(const Source& source);

}  // namespace vit::inline internal::image
