#include "engine/image/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "engine/base/text.h"
#include "engine/image/bytes.h"
#include "engine/image/exif.h"

namespace vit::inline internal::image {
namespace {

constexpr std::uint64_t max_side = 65'535;

using namespace std::string_view_literals;
constexpr std::string_view jpeg_magic = "\xff\xd8\xff"sv;
constexpr std::string_view png_magic = "\x89PNG\r\n\x1a\n"sv;

enum class Format { unknown, jpeg, png, webp };

Format format_of(std::span<const std::byte> bytes) {
    if (has(bytes, 0, jpeg_magic)) {
        return Format::jpeg;
    }
    if (has(bytes, 0, png_magic)) {
        return Format::png;
    }
    if (has(bytes, 0, "RIFF"sv) && has(bytes, 8, "WEBP"sv)) {
        return Format::webp;
    }
    return Format::unknown;
}

/// Names a known image format that we cannot decode, such as "a GIF image"; empty for anything
/// else.
std::string_view other_kind(std::span<const std::byte> bytes) {
    struct Kind {
        std::size_t offset;
        std::string_view magic;
        std::string_view name;
    };
    constexpr Kind kinds[] = {
        {0, "GIF87a"sv, "a GIF image"},     {0, "GIF89a"sv, "a GIF image"},
        {0, "BM"sv, "a BMP image"},         {0, "II*\0"sv, "a TIFF image"},
        {0, "MM\0*"sv, "a TIFF image"},     {0, "II+\0"sv, "a TIFF image"},
        {0, "MM\0+"sv, "a TIFF image"},     {4, "ftypavif"sv, "an AVIF image"},
        {4, "ftypavis"sv, "an AVIF image"}, {4, "ftypheic"sv, "a HEIC image"},
        {4, "ftypheix"sv, "a HEIC image"},  {4, "ftyphevc"sv, "a HEIC image"},
        {4, "ftypmif1"sv, "a HEIF image"},  {4, "ftypmsf1"sv, "a HEIF image"},
    };
    for (const Kind& kind : kinds) {
        if (has(bytes, kind.offset, kind.magic)) {
            return kind.name;
        }
    }
    return {};
}

/// Some servers send an HTML page where an image is missing.
bool is_html(std::span<const std::byte> bytes) {
    std::string start;
    for (const std::byte b : bytes.first(std::min<std::size_t>(512, bytes.size()))) {
        const auto c = static_cast<char>(b);
        if (!start.empty() ||
            std::string_view("\xef\xbb\xbf \t\r\n").find(c) == std::string_view::npos) {
            start += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
    }
    return start.starts_with("<!doctype html") || start.starts_with("<html");
}

[[noreturn]] void refuse_other(const Source& source) {
    std::string found(other_kind(source.bytes));
    std::string_view advice = "convert it to one of these";
    const ErrorKind kind = found.empty() ? ErrorKind::input : ErrorKind::unsupported;
    if (source.bytes.empty()) {
        found = "an empty file";
        advice = "fetch or save it again";
    } else if (is_html(source.bytes)) {
        found = "an HTML page";
        advice = "fetch the image itself";
    } else if (found.empty()) {
        found = "a file that starts with bytes";
        for (const std::byte b : source.bytes.first(std::min<std::size_t>(8, source.size()))) {
            found += fmt::format(" {:02x}", static_cast<unsigned>(b));
        }
    }
    refuse(source, fmt::format("expected a JPEG, PNG or WebP image, found {}; {}", found, advice),
           kind);
}

Image decode(const Source& source, const DecodeOptions& options, Warnings& warnings) {
    Image image;
    switch (format_of(source.bytes)) {
        case Format::jpeg:
            image = decode_jpeg(source, warnings);
            break;
        case Format::png:
            image = decode_png(source, warnings);
            break;
        case Format::webp:
            image = decode_webp(source);
            break;
        case Format::unknown:
            refuse_other(source);
    }
    if (options.exif) {
        image = apply_orientation(std::move(image), exif_orientation(source.bytes));
    }
    return image;
}

/// One line about all warnings; empty where there are none.
std::string warning_text(const Source& source, const Warnings& warnings) {
    if (warnings.count == 0) {
        return {};
    }
    return fmt::format(
        "{}: decoded in spite of damage: {}{}", source.name, warnings.first,
        warnings.count == 1 ? "" : fmt::format(" (first of {} warnings)", warnings.count));
}

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

/// Reads the whole file. Reads only the first bytes where these do not start an image, or nothing
/// where the file is too large.
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
    // An uncompressed pixel has at most 8 bytes in these formats. The rest is for metadata.
    constexpr std::uintmax_t metadata = 64U << 20;
    if (size > metadata && (size - metadata) / 8 > source.max_pixels) {
        refuse(source,
               fmt::format("too large: {} bytes for at most {} pixels", size, source.max_pixels));
    }
    std::vector<std::byte> bytes(std::min<std::uintmax_t>(size, 512));
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

void refuse_damaged(const Source& source, const char* format, std::string_view detail) {
    refuse(source,
           fmt::format("expected a whole {} image, found a damaged or truncated one of {} bytes "
                       "({}); fetch or save it again",
                       format, source.size(), detail));
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

void check_length(const Source& source, const char* format, std::uint64_t height,
                  std::uint64_t width, std::uint64_t least_bytes) {
    constexpr std::uint64_t large = 1U << 24;
    if (height * width > large && least_bytes > source.size()) {
        refuse_damaged(source, format, "too short for the size that its header declares");
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
namespace {

image::Source source_of(std::span<const std::byte> bytes, const std::filesystem::path& name,
                        const DecodeOptions& options) {
    return {bytes, in_quotes(name.native()), options.max_pixels};
}

[[noreturn]] void refuse_for_memory(const std::filesystem::path& name) {
    image::refuse(source_of({}, name, {}), "not enough memory to read and decode this image",
                  ErrorKind::memory);
}

}  // namespace

Image decode_image(std::span<const std::byte> bytes, const std::filesystem::path& name,
                   const DecodeOptions& options, std::string* warning) {
    try {
        const image::Source source = source_of(bytes, name, options);
        image::Warnings warnings;
        Image image = image::decode(source, options, warnings);
        if (warning != nullptr) {
            *warning = image::warning_text(source, warnings);
        }
        return image;
    } catch (const std::bad_alloc&) {
    } catch (const std::length_error&) {
    }
    refuse_for_memory(name);
}

Image decode_image(const std::filesystem::path& path, const DecodeOptions& options,
                   std::string* warning) {
    try {
        const std::vector<std::byte> bytes = image::read_file(source_of({}, path, options), path);
        return decode_image(bytes, path, options, warning);
    } catch (const std::bad_alloc&) {
    } catch (const std::length_error&) {
    }
    refuse_for_memory(path);
}

}  // namespace vit
