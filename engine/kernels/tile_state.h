// The tile registers of the calling thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vit::inline internal::kernels {

/// While it lives, the calling thread's eight tiles have 16 rows of 64 bytes, as the tile kernels
/// want them; before and after, they are as the thread had them, contents included. Only where the
/// CPU has AMX and request_tiles() said yes; `wanted` false: does nothing. To be destroyed by the
/// thread that made it.
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

    /// Tiles without rows have no contents, and may not be stored.
    bool used_before(std::size_t tile) const {
        return before_.palette != 0 && before_.rows[tile] != 0 && before_.row_bytes[tile] != 0;
    }

    bool wanted_;
    Config before_{};
    /// Of tiles that were in use before. Not initialised: hardly anyone's are.
    alignas(64) std::byte contents_[8][1024];
};

}  // namespace vit::inline internal::kernels
