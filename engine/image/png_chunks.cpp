// Follows Pillow's PngImagePlugin.py, so that the same files are refused.
#include "engine/image/png_chunks.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

namespace vit::inline internal::image {
namespace {

std::uint32_t u32(Bytes bytes, std::size_t at) {
    return static_cast<std::uint32_t>(*number(bytes, at, 4));
}

std::string_view text_of(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_name(std::string_view name) {
    return name.size() == 4 && std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_';
           });
}

bool is_format(unsigned depth, unsigned colour) {
    const bool is_byte_or_two = depth == 8 || depth == 16;
    switch (colour) {
        case 0:
            return depth == 1 || depth == 2 || depth == 4 || is_byte_or_two;
        case 3:
            return depth == 1 || depth == 2 || depth == 4 || depth == 8;
        case 2:
        case 4:
        case 6:
            return is_byte_or_two;
        default:
            return false;
    }
}

/// Whether deflated metadata is longer than Pillow allows. Damaged metadata is not.
bool inflates_beyond_limit(Bytes bytes) {
    constexpr std::size_t limit = 1 << 20;
    z_stream stream{};
    if (inflateInit(&stream) != Z_OK) {
        throw std::bad_alloc();
    }
    const struct End {
        z_stream& stream;
        ~End() { inflateEnd(&stream); }
    } end{stream};
    std::array<unsigned char, 16384> out;
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    int status = Z_OK;
    while (status == Z_OK && stream.avail_in > 0 && stream.total_out < limit) {
        stream.next_out = out.data();
        stream.avail_out =
            static_cast<uInt>(std::min<std::size_t>(out.size(), limit - stream.total_out));
        status = inflate(&stream, Z_NO_FLUSH);
    }
    return status == Z_OK && stream.avail_in > 0;
}

/// What is wrong with metadata that changes no pixel; nullptr: nothing that Pillow refuses.
const char* objection_to_metadata(std::string_view name, Bytes body) {
    struct Least {
        std::string_view name;
        std::size_t bytes;
    };
    constexpr Least least[] = {{"gAMA", 4}, {"cHRM", 32}, {"sRGB", 1},
                               {"pHYs", 9}, {"acTL", 8},  {"fcTL", 26}};
    for (const Least& each : least) {
        if (name == each.name && body.size() < each.bytes) {
            return "is cut short";
        }
    }
    const std::string_view text = text_of(body);
    const std::size_t key_end = text.find('\0');
    const auto behind = [&](std::size_t at) {
        return at < body.size() ? body.subspan(at) : Bytes{};
    };
    constexpr const char* too_large = "holds more than 1 MiB";
    constexpr const char* unknown_method = "has an unknown compression method";
    if (name == "iCCP") {
        const std::size_t method = key_end == text.npos ? 0 : key_end + 1;
        if (method >= body.size()) {
            return "is cut short";
        }
        if (text[method] != 0) {
            return unknown_method;
        }
        return inflates_beyond_limit(behind(method + 1)) ? too_large : nullptr;
    }
    if (name == "zTXt" && key_end != text.npos && key_end + 1 < text.size()) {
        if (text[key_end + 1] != 0) {
            return unknown_method;
        }
        return inflates_beyond_limit(behind(key_end + 2)) ? too_large : nullptr;
    }
    if (name == "iTXt" && key_end != text.npos && text.size() - key_end >= 3) {
        const std::size_t language_end = text.find('\0', key_end + 3);
        const std::size_t keyword_end =
            language_end == text.npos ? text.npos : text.find('\0', language_end + 1);
        if (keyword_end != text.npos && text[key_end + 1] != 0 && text[key_end + 2] == 0) {
            return inflates_beyond_limit(behind(keyword_end + 1)) ? too_large : nullptr;
        }
    }
    return nullptr;
}

[[noreturn]] void refuse_chunk(const Source& source, std::string_view name, const char* what) {
    refuse_damaged(source, "PNG", fmt::format("its chunk {} {}", name, what));
}

constexpr const char* ends_early = "the file ends early";

}  // namespace

PngChunks::PngChunks(const Source& source, Warnings& warnings)
    : source_(source), warnings_(warnings), rest_(source.bytes.subspan(8)) {
    while (true) {
        const std::optional<Chunk> chunk = next_chunk();
        if (!chunk) {
            refuse_damaged(source_, "PNG", ends_early);
        }
        if (chunk->name == "IEND") {
            refuse_damaged(source_, "PNG", "it has no pixels");
        }
        if (is_data(*chunk)) {
            check_header(*chunk);
            begin_data(*chunk);
            return;
        }
        const Bytes before = rest_;
        read(*chunk);
        check_sum(*chunk, before.first(static_cast<std::size_t>(chunk->length)), true);
    }
}

void PngChunks::check_header(const Chunk& first_data) {
    const bool is_default_image = !has_part_ && first_data.name == "IDAT";
    is_animated_ = frames_ && *frames_ + (is_default_image ? 1 : 0) > 1;
    if (!has_part_) {
        header_.part_width = header_.width;
        header_.part_height = header_.height;
    }
    if (header_.part_width == 0 || header_.part_height == 0 ||
        header_.left + header_.part_width > header_.width ||
        header_.top + header_.part_height > header_.height) {
        refuse_damaged(source_, "PNG", "its first frame is empty or outside of the image");
    }
    if (header_.colour != 3) {
        return;
    }
    if (header_.palette ? header_.palette->size() / 3 > 256 : has_one_clear_entry_) {
        refuse_damaged(source_, "PNG", "its palette is missing or too long");
    }
    if (!header_.palette) {
        warnings_.add("the palette is missing: all pixels are black");
    }
}

/// Returns nothing at the end of the file. Throws where the next bytes are not a chunk.
std::optional<PngChunks::Chunk> PngChunks::next_chunk() {
    if (rest_.size() < 4) {
        return std::nullopt;
    }
    const Bytes start = take(8);
    const std::string_view name = text_of(start.subspan(4));
    if (!is_name(name)) {
        refuse_damaged(source_, "PNG", "bytes that are no chunk stand where one should begin");
    }
    return Chunk{name, u32(start, 0)};
}

/// Takes `count` bytes, or as many as are left.
Bytes PngChunks::take(std::uint64_t count) {
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(count, rest_.size()));
    const Bytes bytes = rest_.first(taken);
    rest_ = rest_.subspan(taken);
    return bytes;
}

Bytes PngChunks::take_all_of(const Chunk& chunk) {
    const Bytes body = take(chunk.length);
    if (body.size() < chunk.length) {
        refuse_damaged(source_, "PNG", ends_early);
    }
    return body;
}

/// Pixel data before a header that gives its format is treated like any other chunk.
bool PngChunks::is_data(const Chunk& chunk) const {
    return has_format_ && (chunk.name == "IDAT" || chunk.name == "fdAT");
}

void PngChunks::begin_data(const Chunk& chunk) {
    std::uint64_t length = chunk.length;
    const Bytes all = rest_;
    if (chunk.name == "fdAT") {
        take_sequence_number(length);
        length -= 4;
    }
    data_ = take(length);
    if (data_.size() == length && rest_.size() >= 4) {
        check_sum(chunk, all.first(static_cast<std::size_t>(chunk.length)), false);
    } else {
        rest_ = {};
        warnings_.add("the file ends within its pixels");
    }
}

void PngChunks::take_sequence_number(std::uint64_t length) {
    if (length < 4 || rest_.size() < 4) {
        refuse_chunk(source_, "fdAT", "is cut short");
    }
    const std::uint32_t number = u32(take(4), 0);
    if (!sequence_ || number == 0 || *sequence_ != number - 1) {
        refuse_chunk(source_, "fdAT", "is out of order");
    }
    sequence_ = number;
}

std::span<const std::byte> PngChunks::next_data() {
    while (data_.empty()) {
        const std::optional<Chunk> chunk = next_chunk();
        if (!chunk || (chunk->name != "IDAT" && chunk->name != "DDAT" && chunk->name != "fdAT")) {
            refuse_damaged(source_, "PNG", ends_early);
        }
        begin_data(*chunk);
    }
    return std::exchange(data_, {});
}

void PngChunks::finish() {
    while (true) {
        if (rest_.size() < 8 || !is_name(text_of(rest_.subspan(4, 4)))) {
            warnings_.add(rest_.empty() ? "the file ends without an end of image"
                                        : "bytes that are no chunk stand after the pixels");
            return;
        }
        const Chunk chunk = *next_chunk();
        if (chunk.name == "fcTL" && is_animated_) {
            return;
        }
        if (chunk.name == "IEND") {
            if (chunk.length == 0) {
                check_sum(chunk, {}, false);
            }
            return;
        }
        const Bytes before = rest_;
        if (chunk.name == "fdAT") {
            take_sequence_number(chunk.length);
            take_all_of({chunk.name, chunk.length - 4});
        } else if (chunk.name == "IDAT") {
            take_all_of(chunk);
        } else {
            read(chunk);
        }
        check_sum(chunk, before.first(static_cast<std::size_t>(chunk.length)), false);
    }
}

/// `strict`: refuses a wrong checksum, as Pillow does before the pixels. Otherwise it is only a
/// warning.
void PngChunks::check_sum(const Chunk& chunk, Bytes body, bool strict) {
    const Bytes found = take(4);
    uLong sum = ::crc32(0, reinterpret_cast<const Bytef*>(chunk.name.data()), 4);
    if (!body.empty()) {  // a null pointer would make zlib start a new checksum
        sum = ::crc32_z(sum, reinterpret_cast<const Bytef*>(body.data()), body.size());
    }
    if (found.size() == 4 && u32(found, 0) == sum) {
        return;
    }
    if (strict) {
        refuse_chunk(source_, chunk.name, "has a wrong checksum");
    }
    warnings_.add(fmt::format("the chunk {} has a wrong checksum", chunk.name));
}

void PngChunks::read(const Chunk& chunk) {
    const Bytes body = take_all_of(chunk);
    if (const char* const objection = objection_to_metadata(chunk.name, body)) {
        refuse_chunk(source_, chunk.name, objection);
    }
    if (chunk.name == "IHDR") {
        read_header(body);
    } else if (chunk.name == "PLTE") {
        if (header_.colour == 3) {
            header_.palette = body;
        }
    } else if (chunk.name == "tRNS") {
        read_transparency(body);
    } else if (chunk.name == "acTL") {
        const std::uint32_t frames = u32(body, 0);
        const bool again = frames_.has_value();
        frames_.reset();
        if (!again && frames != 0 && frames <= 0x80000000U) {
            frames_ = frames;
        }
    } else if (chunk.name == "fcTL") {
        read_frame_control(body);
    }
}

void PngChunks::read_header(Bytes body) {
    if (body.size() < 13) {
        refuse_chunk(source_, "IHDR", "is cut short");
    }
    header_.width = u32(body, 0);
    header_.height = u32(body, 4);
    if (is_format(byte_at(body, 8), byte_at(body, 9))) {
        has_format_ = true;
        header_.depth = byte_at(body, 8);
        header_.colour = byte_at(body, 9);
    }
    if (byte_at(body, 10) != 0) {
        warnings_.add("the header asks for an unknown compression method");
    }
    if (byte_at(body, 11) != 0) {
        refuse_chunk(source_, "IHDR", "asks for unknown filters");
    }
    if (byte_at(body, 12) != 0) {
        header_.interlaced = true;
    }
}

/// Transparency changes no pixel, but Pillow refuses it where it is cut short.
void PngChunks::read_transparency(Bytes body) {
    if (header_.colour == 3) {
        const auto count_of = [&](std::byte value) {
            return static_cast<std::size_t>(std::count(body.begin(), body.end(), value));
        };
        has_one_clear_entry_ =
            count_of(std::byte{0}) == 1 && count_of(std::byte{0xff}) + 1 == body.size();
        return;
    }
    const std::size_t least = header_.colour == 2 ? 6 : header_.colour == 0 ? 2 : 0;
    if (has_format_ && body.size() < least) {
        refuse_chunk(source_, "tRNS", "is cut short");
    }
}

void PngChunks::read_frame_control(Bytes body) {
    const std::uint32_t number = u32(body, 0);
    if (sequence_ ? number == 0 || *sequence_ != number - 1 : number != 0) {
        refuse_chunk(source_, "fcTL", "is out of order");
    }
    sequence_ = number;
    header_.part_width = u32(body, 4);
    header_.part_height = u32(body, 8);
    header_.left = u32(body, 12);
    header_.top = u32(body, 16);
    has_part_ = true;
    if (header_.left + header_.part_width > header_.width ||
        header_.top + header_.part_height > header_.height) {
        refuse_chunk(source_, "fcTL", "has a frame outside of the image");
    }
}

}  // namespace vit::inline internal::image
