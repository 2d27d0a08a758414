// The tile registers of the calling thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vit::inline internal::kernels {

/// While it exists, the eight tiles of the calling thread have 16 rows of 64 bytes, as the tile
/// kernels need. Its destructor restores the thread's earlier tiles, contents included. Requires a
/// CPU with AMX, and request_tiles() must have returned true. `wanted` false: does nothing. The
/// thread that created it must destroy it.
class TileScope {
  public:
    explicit TileScope(bool wanted) noexcept;
    ~TileScope();
    TileScope(const TileScope&) = delete;
    TileScope& operator=(const TileScope&) = delete;

  private:
    struct alignas(64) Config {
        std::uint8_t palette;
        std::uint8_t start_row;
        std::uint8_t reserved[14];
        std::uint16_t row_bytes[16];
        std::uint8_t rows[16];
    };
    static_assert(sizeof(Config) == 64);

    /// Tiles without rows have no contents and must not be stored.
    bool used_before(std::size_t tile) const {
        return before_.palette != 0 && before_.rows[tile] != 0 && before_.row_bytes[tile] != 0;
    }

    bool wanted_;
    Config before_{};
    /// Contents of tiles that were in use before. Not initialised, because tiles are rarely in use.
    alignas(64) std::byte contents_[8][1024];
};

}  // namespace vit::inline internal::kernels
