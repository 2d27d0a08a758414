// JPEG by libjpeg(-turbo): the same calls as Pillow makes, so the same bytes.
#include <csetjmp>
#include <cstdio>
#include <cstring>

// jpeglib.h needs <cstdio> before it.
#include <jpeglib.h>
// jerror.h: the codes of warnings.
#include <jerror.h>

#include <vector>

#include "engine/image/decode.h"

namespace vit::inline internal::image {
namespace {

constexpr int max_scans = 100;

// Plain data: libjpeg leaves by longjmp, which runs no destructors. All that has one lives outside
// of the functions that call setjmp.
struct Decoder {
    jpeg_decompress_struct info;
    jpeg_error_mgr errors;
    jpeg_progress_mgr progress;
    std::jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
};

Decoder& decoder_of(j_common_ptr info) {
    return *static_cast<Decoder*>(info->client_data);
}

[[noreturn]] void on_error(j_common_ptr info) {
    Decoder& decoder = decoder_of(info);
    decoder.errors.format_message(info, decoder.message);
    std::longjmp(decoder.jump, 1);
}

// libjpeg goes on after damage and fills in grey; these warnings mean that picture data are missing
// or unreadable. Others (odd metadata, bytes before a marker) cost no pixel.
void on_message(j_common_ptr info, int level) {
    if (level >= 0) {
        return;
    }
    switch (info->err->msg_code) {
        case JWRN_JPEG_EOF:
        case JWRN_HIT_MARKER:
        case JWRN_HUFF_BAD_CODE:
        case JWRN_ARITH_BAD_CODE:
        case JWRN_MUST_RESYNC:
            on_error(info);
        default:
            break;
    }
}

void on_output(j_common_ptr) {}

// A small file can ask for very many passes over a large image.
void on_progress(j_common_ptr info) {
    if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > max_scans) {
        Decoder& decoder = decoder_of(info);
        std::strcpy(decoder.message, "more than 100 scans");
        std::longjmp(decoder.jump, 1);
    }
}

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
    jpeg_mem_src(&decoder.info, source.data(), static_cast<unsigned long>(source.size()));
    jpeg_read_header(&decoder.info, TRUE);
    return true;
}

/// a * b / 255, rounded, as Pillow's MULDIV255.
int scale_255(int a, int b) {
    const int t = a * b + 128;
    return ((t >> 8) + t) >> 8;
}

// Pillow takes every CMYK file for one in Adobe's inverted sense (mode "CMYK;I"), then converts
// with cmyk2rgb of its Convert.c.
void inverted_cmyk_to_rgb(const JSAMPLE* in, std::uint8_t* out, std::size_t width) {
    for (std::size_t x = 0; x < width; ++x, in += 4, out += 3) {
        const int white = in[3];
        for (int c = 0; c < 3; ++c) {
            const int v = white - scale_255(255 - in[c], white);
            out[c] = static_cast<std::uint8_t>(v < 0 ? 0 : v);
        }
    }
}

/// `scratch`: a row of CMYK pixels; unused for other images.
bool read_rows(Decoder& decoder, std::uint8_t* out, JSAMPLE* scratch) {
    if (setjmp(decoder.jump) != 0) {
        return false;
    }
    jpeg_decompress_struct& info = decoder.info;
    jpeg_start_decompress(&info);
    const std::size_t width = info.output_width;
    while (info.output_scanline < info.output_height) {
        std::uint8_t* const row = out + info.output_scanline * width * 3;
        JSAMPROW target = info.num_components == 4 ? scratch : row;
        jpeg_read_scanlines(&info, &target, 1);
        if (info.num_components == 1) {
            grey_to_rgb_in_place(row, width);
        } else if (info.num_components == 4) {
            inverted_cmyk_to_rgb(scratch, row, width);
        }
    }
    jpeg_finish_decompress(&info);
    return true;
}

[[noreturn]] void refuse_jpeg(const Source& source, const Decoder& decoder) {
    if (decoder.errors.msg_code == JERR_OUT_OF_MEMORY) {
        refuse(source, "not enough memory to decode this image", ErrorKind::memory);
    }
    refuse_damaged(source, "JPEG", decoder.message);
}

/// A Huffman-coded block takes a bit or more, so a header cannot make us allocate for more blocks
/// than the file has bits.
void check_length(const Source& source, const jpeg_decompress_struct& info) {
    if (info.arith_code) {
        return;
    }
    std::uint64_t blocks = 0;
    for (int i = 0; i < info.num_components; ++i) {
        const jpeg_component_info& c = info.comp_info[i];
        blocks += std::uint64_t{c.width_in_blocks} * c.height_in_blocks;
    }
    if (blocks / 8 > source.size()) {
        refuse_damaged(source, "JPEG", "too short for the size that its header declares");
    }
}

}  // namespace

Image decode_jpeg(const Source& source) {
    Decoder decoder{};
    const DestroyAtEnd destroy{decoder};
    if (!read_header(decoder, source)) {
        refuse_jpeg(source, decoder);
    }
    jpeg_decompress_struct& info = decoder.info;
    check_size(source, info.image_height, info.image_width);
    check_length(source, info);
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
            refuse(source, "expected a JPEG image of 1, 3 or 4 components of 8 bits, found " +
                               std::to_string(info.num_components) + " of " +
                               std::to_string(info.data_precision) + " bits");
    }
    Image image = new_image(source, info.image_height, info.image_width);
    std::vector<JSAMPLE> scratch(info.num_components == 4 ? std::size_t{info.image_width} * 4 : 0);
    if (!read_rows(decoder, image.rgb.data(), scratch.data())) {
        refuse_jpeg(source, decoder);
    }
    return image;
}

}  // namespace vit::inline internal::image
