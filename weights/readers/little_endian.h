// Reads little-endian numbers at any byte offset, aligned or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vit::inline internal {

/// Reads numbers from `bytes`. The caller must check that the bytes at `at` exist.
class LittleEndian {
  public:
    explicit LittleEndian(std::span<const std::byte> bytes) : bytes_(bytes) {}

    std::uint16_t u16(std::size_t at) const { return static_cast<std::uint16_t>(number(at, 2)); }
    std::uint32_t u32(std::size_t at) const { return static_cast<std::uint32_t>(number(at, 4)); }
    std::uint64_t u64(std::size_t at) const { return number(at, 8); }

  private:
    std::uint64_t number(std::size_t at, std::size_t size) const {
        std::uint64_t value = 0;
        for (std::size_t i = size; i-- > 0;)
            value = (value << 8) | static_cast<std::uint64_t>(bytes_[at + i]);
        return value;
    }
    std::span<const std::byte> bytes_;
};

}  // namespace vit::inline internal
