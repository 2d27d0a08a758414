#include "engine/image/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <new>
#include <string_view>
#include <system_error>

namespace vit::inline internal::image {
namespace {

constexpr std::uint64_t max_side = 65'535;

/// Bytes as text, whatever a name or a file holds: control bytes escaped.
std::string printable(std::string_view text) {
    std::string result;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            result += fmt::format("\\x{:02x}", byte);
        } else {
            result += c;
        }
    }
    return result;
}

bool starts_with(std::span<const std::byte> bytes, std::string_view magic, std::size_t offset = 0) {
    return bytes.size() >= offset + magic.size() &&
           std::equal(magic.begin(), magic.end(),
                      bytes.begin() + static_cast<std::ptrdiff_t>(offset),
                      [](char a, std::byte b) { return static_cast<std::byte>(a) == b; });
}

using namespace std::string_view_literals;
constexpr std::string_view jpeg_magic = "\xff\xd8\xff"sv;
constexpr std::string_view png_magic = "\x89PNG\r\n\x1a\n"sv;

enum class Format { unknown, jpeg, png, webp };

Format format_of(std::span<const std::byte> bytes) {
    if (starts_with(bytes, jpeg_magic)) {
        return Format::jpeg;
    }
    if (starts_with(bytes, png_magic)) {
        return Format::png;
    }
    if (starts_with(bytes, "RIFF"sv) && starts_with(bytes, "WEBP"sv, 8)) {
        return Format::webp;
    }
    return Format::unknown;
}

Image decode(const Source& source, const DecodeOptions& options) {
    Image image;
    switch (format_of(source.bytes)) {
        case Format::jpeg:
            image = decode_jpeg(source);
            break;
        case Format::png:
            image = decode_png(source);
            break;
        case Format::webp:
            image = decode_webp(source);
            break;
        case Format::unknown: {
            if (source.bytes.empty()) {
                refuse(source, "expected an image, found an empty file");
            }
            std::string found;
            for (const std::byte b : source.bytes.first(std::min<std::size_t>(8, source.size()))) {
                found += fmt::format(" {:02x}", static_cast<unsigned>(b));
            }
            refuse(source,
                   "expected a JPEG, PNG or WebP image, found a file that starts with bytes" +
                       found + "; convert it to one of these");
        }
    }
    if (options.exif) {
        image = apply_orientation(std::move(image), exif_orientation(source.bytes));
    }
    return image;
}

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

/// The whole file; reads no more than its first bytes when these are no image's, or it is too
/// large.
std::vector<std::byte> read_file(const Source& source, const std::filesystem::path& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (error || !std::filesystem::exists(status)) {
        refuse(source, "cannot read: " + (error ? error.message() : "no such file"), ErrorKind::io);
    }
    if (!std::filesystem::is_regular_file(status)) {
        refuse(source, "cannot read: expected a file, found a folder or device", ErrorKind::io);
    }
    const std::uintmax_t size = std::filesystem::file_size(path, error);
    const std::unique_ptr<std::FILE, FileCloser> file(error ? nullptr
                                                            : std::fopen(path.c_str(), "rb"));
    if (!file) {
        refuse(source,
               "cannot read: " +
                   (error ? error : std::error_code(errno, std::generic_category())).message(),
               ErrorKind::io);
    }
    // The widest pixel of any of these formats has 8 bytes uncompressed; the rest is for metadata.
    constexpr std::uintmax_t metadata = 64U << 20;
    if (size > metadata && (size - metadata) / 8 > source.max_pixels) {
        refuse(source,
               fmt::format("too large: {} bytes for at most {} pixels", size, source.max_pixels));
    }
    std::vector<std::byte> bytes(std::min<std::uintmax_t>(size, 16));
    std::size_t got = std::fread(bytes.data(), 1, bytes.size(), file.get());
    if (got == bytes.size() && format_of(bytes) != Format::unknown) {
        bytes.resize(static_cast<std::size_t>(size));
        got += std::fread(bytes.data() + got, 1, bytes.size() - got, file.get());
    }
    if (std::ferror(file.get()) != 0) {
        refuse(source, "cannot read: input/output error", ErrorKind::io);
    }
    bytes.resize(got);
    return bytes;
}

}  // namespace

void refuse(const Source& source, const std::string& what, ErrorKind kind) {
    throw Error(kind, source.name + ": " + what);
}

void refuse_damaged(const Source& source, const char* format, const std::string& detail) {
    refuse(source,
           fmt::format("expected a whole {} image, found a damaged or truncated one of {} bytes "
                       "({}); fetch or save it again",
                       format, source.size(), printable(detail)));
}

void check_size(const Source& source, std::uint64_t height, std::uint64_t width) {
    if (height == 0 || width == 0) {
        refuse(source, fmt::format("the image is empty ({} x {} pixels)", width, height));
    }
    if (height > max_side || width > max_side) {
        refuse(source, fmt::format("too large: {} x {} pixels; a side may have {}", width, height,
                                   max_side));
    }
    if (height * width > source.max_pixels) {
        refuse(source, fmt::format("too large: {} x {} = {} pixels; the limit is {}", width, height,
                                   width * height, source.max_pixels));
    }
}

Image new_image(const Source& source, std::uint64_t height, std::uint64_t width) {
    check_size(source, height, width);
    Image image;
    image.height = static_cast<std::int64_t>(height);
    image.width = static_cast<std::int64_t>(width);
    image.rgb.resize(static_cast<std::size_t>(height * width * 3));
    return image;
}

}  // namespace vit::inline internal::image

namespace vit {

Image decode_image(std::span<const std::byte> bytes, const std::filesystem::path& name,
                   const DecodeOptions& options) {
    const image::Source source{bytes, image::printable(name.string()), options.max_pixels};
    try {
        return image::decode(source, options);
    } catch (const std::bad_alloc&) {
        image::refuse(source, "not enough memory to decode this image", ErrorKind::memory);
    }
}

Image decode_image(const std::filesystem::path& path, const DecodeOptions& options) {
    const image::Source source{{}, image::printable(path.string()), options.max_pixels};
    try {
        return decode_image(image::read_file(source, path), path, options);
    } catch (const std::bad_alloc&) {
        image::refuse(source, "not enough memory to read this image", ErrorKind::memory);
    }
}

}  // namespace vit
