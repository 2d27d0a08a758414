// Decodes JPEG with libjpeg(-turbo). It makes the same calls as Pillow, so it returns the same
// bytes.
#include <csetjmp>
#include <cstdio>
#include <cstring>

// jpeglib.h needs <cstdio> before it.
#include <jpeglib.h>
// jerror.h has the error codes.
#include <jerror.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/image/decode.h"
#include "engine/image/jpeg_headers.h"

namespace vit::inline internal::image {
namespace {

constexpr int max_scans = 100;
constexpr char truncated[] = "the file ends early";

// Plain data, because libjpeg reports errors with longjmp, which runs no destructors. Objects with
// destructors are outside of the functions that call setjmp.
struct Decoder {
    jpeg_decompress_struct info;
    jpeg_source_mgr source;
    jpeg_error_mgr errors;
    jpeg_progress_mgr progress;
    std::jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
    char first_warning[JMSG_LENGTH_MAX];  // errors.num_warnings counts them
    bool no_end;                          // all rows were read, but the end of the file is missing
};

Decoder& decoder_of(j_common_ptr info) {
    return *static_cast<Decoder*>(info->client_data);
}

[[noreturn]] void on_error(j_common_ptr info) {
    Decoder& decoder = decoder_of(info);
    decoder.errors.format_message(info, decoder.message);
    std::longjmp(decoder.jump, 1);
}

void on_message(j_common_ptr info, int level) {
    if (level < 0 && info->err->num_warnings++ == 0) {
        info->err->format_message(info, decoder_of(info).first_warning);
    }
}

void on_output(j_common_ptr) {}

// A small file can require very many passes over a large image.
void on_progress(j_common_ptr info) {
    if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > max_scans) {
        Decoder& decoder = decoder_of(info);
        std::strcpy(decoder.message, "more than 100 scans");
        std::longjmp(decoder.jump, 1);
    }
}

// The source ends as Pillow's does: libjpeg waits for more bytes and does not add an end of image.
// So a truncated file differs from a damaged one.
boolean on_source_empty(j_decompress_ptr) {
    return FALSE;
}

void on_source_skip(j_decompress_ptr info, long count) {
    const std::size_t skipped =
        std::min(info->src->bytes_in_buffer, static_cast<std::size_t>(std::max(count, 0L)));
    info->src->next_input_byte += skipped;
    info->src->bytes_in_buffer -= skipped;
}

void on_source_nothing(j_decompress_ptr) {}

struct DestroyAtEnd {
    Decoder& decoder;
    ~DestroyAtEnd() { jpeg_destroy_decompress(&decoder.info); }
};

bool read_header(Decoder& decoder, const Source& source) {
    if (setjmp(decoder.jump) != 0) {
        return false;
    }
    decoder.info.err = jpeg_std_error(&decoder.errors);
    decoder.info.client_data = &decoder;
    decoder.errors.error_exit = on_error;
    decoder.errors.emit_message = on_message;
    decoder.errors.output_message = on_output;
    jpeg_create_decompress(&decoder.info);
    decoder.progress.progress_monitor = on_progress;
    decoder.info.progress = &decoder.progress;
    decoder.source = {source.data(),  source.size(),          on_source_nothing, on_source_empty,
                      on_source_skip, jpeg_resync_to_restart, on_source_nothing};
    decoder.info.src = &decoder.source;
    int found = JPEG_HEADER_TABLES_ONLY;
    while (found == JPEG_HEADER_TABLES_ONLY) {
        found = jpeg_read_header(&decoder.info, FALSE);
    }
    if (found == JPEG_SUSPENDED) {
        std::strcpy(decoder.message, truncated);
        return false;
    }
    return true;
}

/// a * b / 255, rounded as by Pillow's MULDIV255.
int scale_255(int a, int b) {
    const int t = a * b + 128;
    return ((t >> 8) + t) >> 8;
}

// Pillow reads every CMYK file as inverted, which is Adobe's convention (mode "CMYK;I"). Then it
// converts with cmyk2rgb of its Convert.c.
void inverted_cmyk_to_rgb(const JSAMPLE* in, std::uint8_t* out, std::size_t width) {
    for (std::size_t x = 0; x < width; ++x, in += 4, out += 3) {
        const int white = in[3];
        for (int c = 0; c < 3; ++c) {
            const int v = white - scale_255(255 - in[c], white);
            out[c] = static_cast<std::uint8_t>(v < 0 ? 0 : v);
        }
    }
}

/// `scratch`: room for a row of CMYK pixels; unused for other images.
bool read_rows(Decoder& decoder, std::uint8_t* out, JSAMPLE* scratch) {
    if (setjmp(decoder.jump) != 0) {
        return false;
    }
    jpeg_decompress_struct& info = decoder.info;
    if (jpeg_start_decompress(&info) == FALSE) {
        std::strcpy(decoder.message, truncated);
        return false;
    }
    const std::size_t width = info.output_width;
    while (info.output_scanline < info.output_height) {
        std::uint8_t* const row = out + info.output_scanline * width * 3;
        JSAMPROW target = info.num_components == 4 ? scratch : row;
        if (jpeg_read_scanlines(&info, &target, 1) != 1) {
            std::strcpy(decoder.message, truncated);
            return false;
        }
        if (info.num_components == 1) {
            for (std::size_t x = width; x-- > 0;) {
                row[3 * x] = row[3 * x + 1] = row[3 * x + 2] = row[x];
            }
        } else if (info.num_components == 4) {
            inverted_cmyk_to_rgb(scratch, row, width);
        }
    }
    decoder.no_end = jpeg_finish_decompress(&info) == FALSE;
    return true;
}

[[noreturn]] void refuse_jpeg(const Source& source, const Decoder& decoder) {
    if (decoder.errors.msg_code == JERR_OUT_OF_MEMORY) {
        refuse(source, "not enough memory to decode this image", ErrorKind::memory);
    }
    if (decoder.errors.msg_code == JERR_SOF_UNSUPPORTED) {
        refuse(source,
               "this kind of JPEG (lossless or hierarchical) is not supported by this build's "
               "libjpeg; save it as an ordinary JPEG or as PNG",
               ErrorKind::unsupported);
    }
    refuse_damaged(source, "JPEG", decoder.message);
}

/// A Huffman-coded block takes at least one bit.
std::uint64_t least_bytes(const jpeg_decompress_struct& info) {
    if (info.arith_code) {
        return 0;
    }
    std::uint64_t blocks = 0;
    for (int i = 0; i < info.num_components; ++i) {
        const jpeg_component_info& c = info.comp_info[i];
        blocks += std::uint64_t{c.width_in_blocks} * c.height_in_blocks;
    }
    return blocks / 8;
}

}  // namespace

Image decode_jpeg(const Source& source, Warnings& warnings) {
    if (const char* const objection = objection_to_jpeg_headers(source.bytes)) {
        refuse_damaged(source, "JPEG", objection);
    }
    Decoder decoder{};
    const DestroyAtEnd destroy{decoder};
    if (!read_header(decoder, source)) {
        refuse_jpeg(source, decoder);
    }
    jpeg_decompress_struct& info = decoder.info;
    check_size(source, info.image_height, info.image_width);
    check_length(source, "JPEG", info.image_height, info.image_width, least_bytes(info));
    switch (info.data_precision == 8 ? info.num_components : 0) {
        case 1:
            info.out_color_space = JCS_GRAYSCALE;
            break;
        case 3:
            info.out_color_space = JCS_RGB;
            break;
        case 4:
            info.out_color_space = JCS_CMYK;
            break;
        default:
            refuse(source,
                   "expected a JPEG image of 1, 3 or 4 components of 8 bits, found " +
                       std::to_string(info.num_components) + " of " +
                       std::to_string(info.data_precision) + " bits",
                   ErrorKind::unsupported);
    }
    Image image = new_image(source, info.image_height, info.image_width);
    std::vector<JSAMPLE> scratch(info.num_components == 4 ? std::size_t{info.image_width} * 4 : 0);
    if (!read_rows(decoder, image.rgb.data(), scratch.data())) {
        refuse_jpeg(source, decoder);
    }
    if (decoder.errors.num_warnings > 0) {
        warnings.add(decoder.first_warning);
        warnings.count = static_cast<std::uint64_t>(decoder.errors.num_warnings);
    }
    if (decoder.no_end) {
        warnings.add("the file ends without an end of image");
    }
    return image;
}

}  // namespace vit::inline internal::image
