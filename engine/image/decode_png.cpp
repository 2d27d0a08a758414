// Decodes PNG with zlib. Undoes filters and interlacing, and converts to RGB, as Pillow's
// ZipDecode.c and Convert.c do. libpng is not used, because it refuses damage that Pillow decodes.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "engine/image/decode.h"
#include "engine/image/png_chunks.h"

namespace vit::inline internal::image {
namespace {

unsigned bits_per_pixel(const PngHeader& header) {
    constexpr std::array<unsigned, 7> samples{1, 0, 3, 1, 2, 0, 4};
    return samples[header.colour] * header.depth;
}

std::size_t row_bytes(std::uint64_t pixels, unsigned bits) {
    return static_cast<std::size_t>((pixels * bits + 7) / 8);
}

std::uint8_t paeth(int left, int up, int up_left) {
    const int by_left = std::abs(up - up_left);
    const int by_up = std::abs(left - up_left);
    const int by_up_left = std::abs(left + up - 2 * up_left);
    return static_cast<std::uint8_t>(by_left <= by_up && by_left <= by_up_left ? left
                                     : by_up <= by_up_left                     ? up
                                                                               : up_left);
}

/// Adds the prediction of the filter to a row. `step`: bytes per pixel, at least 1. `before`: the
/// row above.
template <std::size_t step>
bool undo_filter(unsigned filter, std::uint8_t* row, const std::uint8_t* before,
                 std::size_t count) {
    const auto add = [](std::uint8_t& to, int value) {
        to = static_cast<std::uint8_t>(to + value);
    };
    const std::size_t first = std::min(step, count);
    switch (filter) {
        case 0:
            return true;
        case 1:
            for (std::size_t i = step; i < count; ++i) {
                add(row[i], row[i - step]);
            }
            return true;
        case 2:
            for (std::size_t i = 0; i < count; ++i) {
                add(row[i], before[i]);
            }
            return true;
        case 3:
            for (std::size_t i = 0; i < first; ++i) {
                add(row[i], before[i] / 2);
            }
            for (std::size_t i = step; i < count; ++i) {
                add(row[i], (row[i - step] + before[i]) / 2);
            }
            return true;
        case 4:
            for (std::size_t i = 0; i < first; ++i) {
                add(row[i], before[i]);
            }
            for (std::size_t i = step; i < count; ++i) {
                add(row[i], paeth(row[i - step], before[i], before[i - step]));
            }
            return true;
        default:
            return false;
    }
}

using UndoFilter = bool (*)(unsigned, std::uint8_t*, const std::uint8_t*, std::size_t);

UndoFilter undo_filter_for(unsigned bits) {
    switch (bits / 8) {
        case 2:
            return undo_filter<2>;
        case 3:
            return undo_filter<3>;
        case 4:
            return undo_filter<4>;
        case 6:
            return undo_filter<6>;
        case 8:
            return undo_filter<8>;
        default:
            return undo_filter<1>;
    }
}

/// Converts rows of samples to RGB.
class Unpacker {
  public:
    explicit Unpacker(const PngHeader& header) : header_(header) {
        if (header.colour == 3) {
            // Pillow's palette has 256 entries. Entries that the file lacks are black.
            const auto entries = header.palette.value_or(std::span<const std::byte>{});
            const std::size_t bytes = std::min(entries.size() / 3 * 3, table_.size());
            if (bytes > 0) {
                std::memcpy(table_.data(), entries.data(), bytes);
            }
        }
    }

    /// Writes pixel i of `count` to rgb + i * step.
    void operator()(const std::uint8_t* row, std::size_t count, std::uint8_t* rgb,
                    std::size_t step) const {
        const std::size_t sample = header_.depth / 8;
        switch (header_.colour) {
            case 2:
            case 6: {
                if (header_.colour == 2 && sample == 1 && step == 3) {
                    std::memcpy(rgb, row, count * 3);
                    return;
                }
                const std::size_t pixel = sample * (header_.colour == 2 ? 3 : 4);
                for (std::size_t i = 0; i < count; ++i, row += pixel, rgb += step) {
                    rgb[0] = row[0];
                    rgb[1] = row[sample];
                    rgb[2] = row[2 * sample];
                }
                return;
            }
            case 4:
                for (std::size_t i = 0; i < count; ++i, row += 2 * sample, rgb += step) {
                    set_grey(rgb, row[0]);
                }
                return;
            default:
                break;
        }
        if (header_.depth == 16) {  // as Pillow's I16_RGB: values above 255 are clipped, not scaled
            for (std::size_t i = 0; i < count; ++i, row += 2, rgb += step) {
                set_grey(rgb, row[0] == 0 ? row[1] : std::uint8_t{255});
            }
            return;
        }
        const unsigned depth = header_.depth;
        const unsigned most = (1U << depth) - 1;
        for (std::size_t i = 0; i < count; ++i, rgb += step) {
            const std::size_t bit = i * depth;
            const unsigned value = row[bit / 8] >> (8 - depth - bit % 8) & most;
            if (header_.colour == 3) {
                std::memcpy(rgb, &table_[std::size_t{3} * value], 3);
            } else {
                set_grey(rgb, static_cast<std::uint8_t>(value * (255 / most)));
            }
        }
    }

  private:
    static void set_grey(std::uint8_t* rgb, std::uint8_t value) {
        rgb[0] = rgb[1] = rgb[2] = value;
    }

    const PngHeader& header_;
    std::array<std::uint8_t, 768> table_{};
};

/// The rows and columns of one pass of interlacing.
struct Pass {
    std::uint64_t top, left, down, across;

    std::uint64_t rows(const PngHeader& header) const {
        return header.part_height > top ? (header.part_height - top + down - 1) / down : 0;
    }
    std::uint64_t columns(const PngHeader& header) const {
        return header.part_width > left ? (header.part_width - left + across - 1) / across : 0;
    }
};

constexpr Pass whole[] = {{0, 0, 1, 1}};
constexpr Pass adam7[] = {{0, 0, 8, 8}, {0, 4, 8, 8}, {4, 0, 8, 4}, {0, 2, 4, 4},
                          {2, 0, 4, 2}, {0, 1, 2, 2}, {1, 0, 2, 1}};

/// Inflates the data of the chunks, piece by piece.
class Inflater {
  public:
    Inflater(const Source& source, PngChunks& chunks) : source_(source), chunks_(chunks) {
        if (inflateInit(&stream_) != Z_OK) {
            throw std::bad_alloc();
        }
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater() { inflateEnd(&stream_); }

    /// Fills `row`. The data may end after it.
    void fill(std::span<std::uint8_t> row) {
        stream_.next_out = row.data();
        stream_.avail_out = static_cast<uInt>(row.size());
        // As in Pillow, bytes that zlib still buffers are lost when no more input is left.
        while (stream_.avail_out > 0) {
            while (stream_.avail_in == 0) {
                next_piece();
            }
            const int status = inflate(&stream_, Z_NO_FLUSH);
            if (status == Z_MEM_ERROR) {
                throw std::bad_alloc();
            }
            if (status < 0) {
                refuse_damaged(source_, "PNG",
                               stream_.msg != nullptr ? stream_.msg : "its pixels do not inflate");
            }
            ended_ = status == Z_STREAM_END;
            if (stream_.avail_out > 0) {
                stream_.avail_in = 0;  // data after the end of the stream is ignored
            }
        }
    }

    bool ended() const { return ended_; }

  private:
    void next_piece() {
        if (piece_.empty()) {
            piece_ = chunks_.next_data();
        }
        // zlib counts in 32 bits.
        const std::size_t count = std::min<std::size_t>(piece_.size(), 1U << 30);
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(piece_.data()));
        stream_.avail_in = static_cast<uInt>(count);
        piece_ = piece_.subspan(count);
    }

    const Source& source_;
    PngChunks& chunks_;
    std::span<const std::byte> piece_;
    z_stream stream_{};
    bool ended_ = false;
};

/// Decodes into `image`. Pixels that the data does not reach stay black.
void read_rows(const Source& source, const PngHeader& header, PngChunks& chunks, Image& image,
               Warnings& warnings) {
    Inflater inflater(source, chunks);
    const Unpacker unpack(header);
    const unsigned bits = bits_per_pixel(header);
    const UndoFilter undo = undo_filter_for(bits);
    std::vector<std::uint8_t> row(row_bytes(header.part_width, bits) + 1), before(row.size());
    // Pillow puts interlaced pixels at the image's corner, wherever the part is.
    const std::uint64_t top = header.interlaced ? 0 : header.top;
    const std::uint64_t left = header.interlaced ? 0 : header.left;
    const auto passes = header.interlaced ? std::span<const Pass>(adam7) : std::span(whole);
    for (const Pass& pass : passes) {
        const std::uint64_t columns = pass.columns(header);
        const std::uint64_t rows = columns == 0 ? 0 : pass.rows(header);
        const std::size_t bytes = row_bytes(columns, bits);
        std::fill(before.begin(), before.end(), std::uint8_t{0});
        for (std::uint64_t y = 0; y < rows; ++y) {
            if (inflater.ended()) {
                warnings.add("the pixels end early: the rest of the image is left black");
                return;
            }
            inflater.fill(std::span(row).first(bytes + 1));
            if (!undo(row[0], row.data() + 1, before.data() + 1, bytes)) {
                refuse_damaged(source, "PNG", "a row has an unknown filter");
            }
            const std::uint64_t pixel =
                (top + pass.top + y * pass.down) * static_cast<std::uint64_t>(image.width) + left +
                pass.left;
            unpack(row.data() + 1, static_cast<std::size_t>(columns), image.rgb.data() + pixel * 3,
                   static_cast<std::size_t>(pass.across * 3));
            row.swap(before);
        }
    }
}

}  // namespace

Image decode_png(const Source& source, Warnings& warnings) {
    PngChunks chunks(source, warnings);
    const PngHeader& header = chunks.header();
    check_size(source, header.height, header.width);
    // Deflate expands one byte to at most 1032 bytes.
    check_length(source, "PNG", header.height, header.width,
                 header.height * row_bytes(header.width, bits_per_pixel(header)) / 1032);
    Image image = new_image(source, header.height, header.width);
    read_rows(source, header, chunks, image, warnings);
    chunks.finish();
    return image;
}

}  // namespace vit::inline internal::image
