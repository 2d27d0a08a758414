// Reads numbers and text from the bytes of a file. Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace vit::inline internal::image {

using Bytes = std::span<const std::byte>;

inline unsigned byte_at(Bytes bytes, std::size_t at) {
    return static_cast<unsigned>(bytes[at]);
}

/// Whether `text` is at `offset`. `offset` may be outside of `bytes`.
inline bool has(Bytes bytes, std::uint64_t offset, std::string_view text) {
    return offset <= bytes.size() && bytes.size() - offset >= text.size() &&
           std::memcmp(bytes.data() + offset, text.data(), text.size()) == 0;
}

/// The unsigned integer of `count` bytes at `offset`; nothing where it is outside of `bytes`.
inline std::optional<std::uint64_t> number(Bytes bytes, std::uint64_t offset, std::size_t count,
                                           bool little = false) {
    if (offset > bytes.size() || bytes.size() - offset < count) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = static_cast<std::size_t>(offset) + (little ? count - 1 - i : i);
        value = value << 8 | byte_at(bytes, at);
    }
    return value;
}

}  // namespace vit::inline internal::image
