// PNG by libpng, with Pillow's conversions to RGB.
#include <png.h>

#include <array>
#include <csetjmp>
#include <cstring>

#include "engine/image/decode.h"

namespace vit::inline internal::image {
namespace {

// Plain data: libpng leaves by longjmp, which runs no destructors. All that has one lives outside
// of the functions that call setjmp.
struct Reader {
    png_structp png;
    png_infop info;
    const unsigned char* next;
    std::size_t left;
    char message[128];
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
    Reader& reader = *static_cast<Reader*>(png_get_error_ptr(png));
    std::strncpy(reader.message, message, sizeof(reader.message) - 1);
    png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep out, std::size_t count) {
    Reader& reader = *static_cast<Reader*>(png_get_io_ptr(png));
    if (count > reader.left) {
        png_error(png, "unexpected end of file");
    }
    std::memcpy(out, reader.next, count);
    reader.next += count;
    reader.left -= count;
}

struct DestroyAtEnd {
    Reader& reader;
    ~DestroyAtEnd() { png_destroy_read_struct(&reader.png, &reader.info, nullptr); }
};

/// How samples arrive from libpng after the transformations that are asked for here.
enum class Samples { rgb, grey, grey_16, palette };

bool read_header(Reader& reader) {
    reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning);
    if (reader.png == nullptr) {
        return false;
    }
    if (setjmp(png_jmpbuf(reader.png)) != 0) {
        return false;
    }
    reader.info = png_create_info_struct(reader.png);
    if (reader.info == nullptr) {
        return false;
    }
    png_set_read_fn(reader.png, &reader, on_read);
    // Our own limits, checked before anything of that size is allocated, give the better message.
    png_set_user_limits(reader.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    // Metadata (text, profiles, gamma…) change no pixel here and can inflate without end: skip
    // them.
    png_set_keep_unknown_chunks(reader.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_read_info(reader.png, reader.info);
    return true;
}

bool read_rows(Reader& reader, std::uint8_t* out, std::size_t height, std::size_t stride,
               Samples samples) {
    if (setjmp(png_jmpbuf(reader.png)) != 0) {
        return false;
    }
    // Alpha is dropped and 16-bit samples lose their low byte, both as Pillow does.
    png_set_strip_alpha(reader.png);
    if (samples != Samples::grey_16) {
        png_set_strip_16(reader.png);
    }
    if (samples == Samples::palette) {
        png_set_packing(reader.png);
    } else {
        png_set_expand_gray_1_2_4_to_8(reader.png);
    }
    const int passes = png_set_interlace_handling(reader.png);
    png_read_update_info(reader.png, reader.info);
    if (png_get_rowbytes(reader.png, reader.info) > stride) {
        png_error(reader.png, "unexpected row size");
    }
    // Samples of fewer than 3 bytes use the start of their row, and are spread out afterwards.
    for (int pass = 0; pass < passes; ++pass) {
        for (std::size_t y = 0; y < height; ++y) {
            png_read_row(reader.png, out + y * stride, nullptr);
        }
    }
    png_read_end(reader.png, nullptr);
    return true;
}

void palette_to_rgb_in_place(const Reader& reader, std::uint8_t* row, std::size_t width) {
    // Pillow's palette has 256 entries, black where the file's is shorter.
    std::array<std::uint8_t, 768> table{};
    png_colorp palette = nullptr;
    int count = 0;
    png_get_PLTE(reader.png, reader.info, &palette, &count);
    for (std::size_t i = 0; palette != nullptr && i < static_cast<std::size_t>(count); ++i) {
        table[3 * i] = palette[i].red;
        table[3 * i + 1] = palette[i].green;
        table[3 * i + 2] = palette[i].blue;
    }
    for (std::size_t x = width; x-- > 0;) {
        std::memcpy(row + 3 * x, &table[std::size_t{3} * row[x]], 3);
    }
}

// Pillow's I16_RGB: values beyond 255 are clipped, not scaled.
void grey_16_to_rgb_in_place(std::uint8_t* row, std::size_t width) {
    for (std::size_t x = width; x-- > 0;) {
        const std::uint8_t v = row[2 * x] == 0 ? row[2 * x + 1] : std::uint8_t{255};
        row[3 * x] = row[3 * x + 1] = row[3 * x + 2] = v;
    }
}

Samples samples_of(const Reader& reader) {
    switch (png_get_color_type(reader.png, reader.info)) {
        case PNG_COLOR_TYPE_PALETTE:
            return Samples::palette;
        case PNG_COLOR_TYPE_GRAY:
            return png_get_bit_depth(reader.png, reader.info) == 16 ? Samples::grey_16
                                                                    : Samples::grey;
        case PNG_COLOR_TYPE_GRAY_ALPHA:
            return Samples::grey;
        default:
            return Samples::rgb;
    }
}

}  // namespace

Image decode_png(const Source& source) {
    Reader reader{};
    reader.next = source.data();
    reader.left = source.size();
    const DestroyAtEnd destroy{reader};
    if (!read_header(reader)) {
        refuse_damaged(source, "PNG", reader.message);
    }
    const std::size_t height = png_get_image_height(reader.png, reader.info);
    const std::size_t width = png_get_image_width(reader.png, reader.info);
    check_size(source, height, width);
    // Deflate makes at most 1032 bytes of one.
    if (std::uint64_t{height} * png_get_rowbytes(reader.png, reader.info) / 1032 > source.size()) {
        refuse_damaged(source, "PNG", "too short for the size that its header declares");
    }
    Image image = new_image(source, height, width);
    const Samples samples = samples_of(reader);
    if (!read_rows(reader, image.rgb.data(), height, width * 3, samples)) {
        refuse_damaged(source, "PNG", reader.message);
    }
    for (std::size_t y = 0; y < height; ++y) {
        std::uint8_t* const row = image.rgb.data() + y * width * 3;
        switch (samples) {
            case Samples::rgb:
                break;
            case Samples::grey:
                grey_to_rgb_in_place(row, width);
                break;
            case Samples::grey_16:
                grey_16_to_rgb_in_place(row, width);
                break;
            case Samples::palette:
                palette_to_rgb_in_place(reader, row, width);
                break;
        }
    }
    return image;
}

}  // namespace vit::inline internal::image
