// Reads the chunks of a PNG file as Pillow does. Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engine/image/bytes.h"
#include "engine/image/decode.h"

namespace vit::inline internal::image {

/// What a file says before its pixels.
struct PngHeader {
    std::uint64_t width = 0;
    std::uint64_t height = 0;
    unsigned depth = 0;   ///< bits per sample: 1, 2, 4, 8 or 16
    unsigned colour = 0;  ///< 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha
    bool interlaced = false;
    std::optional<std::span<const std::byte>> palette;  ///< RGB entries

    /// Where the pixels go: to the whole image, or to the part that an animation's first frame
    /// names.
    std::uint64_t left = 0;
    std::uint64_t top = 0;
    std::uint64_t part_width = 0;
    std::uint64_t part_height = 0;
};

/// Reads `source`, which starts with its signature. Throws Error(input) where Pillow refuses the
/// file. What Pillow ignores becomes a warning. The source and the warnings must outlive this
/// object.
class PngChunks {
  public:
    /// Reads the chunks up to the first chunk of pixels.
    PngChunks(const Source& source, Warnings& warnings);

    const PngHeader& header() const { return header_; }

    /// Returns the next piece of the compressed pixels. Throws Error(input) where there is none.
    std::span<const std::byte> next_data();

    /// Reads the chunks after the pixels.
    void finish();

  private:
    struct Chunk {
        std::string_view name;
        std::uint64_t length = 0;
    };

    std::optional<Chunk> next_chunk();
    Bytes take(std::uint64_t count);
    Bytes take_all_of(const Chunk& chunk);
    bool is_data(const Chunk& chunk) const;
    void begin_data(const Chunk& chunk);
    void take_sequence_number(std::uint64_t length);
    void read(const Chunk& chunk);
    void read_header(Bytes body);
    void read_transparency(Bytes body);
    void read_frame_control(Bytes body);
    void check_header(const Chunk& first_data);
    void check_sum(const Chunk& chunk, Bytes body, bool strict);

    const Source& source_;
    Warnings& warnings_;
    PngHeader header_;
    Bytes rest_;
    Bytes data_;  // of the current chunk, not yet returned
    std::optional<std::uint32_t> sequence_;
    std::optional<std::uint64_t> frames_;
    bool is_animated_ = false;
    bool has_format_ = false;
    bool has_part_ = false;
    bool has_one_clear_entry_ = false;
};

}  // namespace vit::inline internal::image
