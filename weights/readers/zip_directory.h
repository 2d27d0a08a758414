// Finds the central directory of a zip archive from its end records. Only zip_members.cpp uses
// this.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::inline internal {

// Names, sizes and fields as in PKWARE's APPNOTE 6.3.10, section 4.3.
inline constexpr std::uint32_t zip_end_signature = 0x06054b50;
inline constexpr std::uint64_t zip_central_bytes = 46;
inline constexpr std::uint32_t zip_saturated32 = 0xFFFFFFFF;
inline constexpr std::uint16_t zip_saturated16 = 0xFFFF;

/// The bytes of an archive. Errors name the archive as `where`.
struct ZipBytes {
    std::span<const std::byte> bytes;
    std::string_view where;

    [[noreturn]] void refuse(const std::string& what) const {
        throw Error(ErrorKind::format, fmt::format("{}: {}", where, what));
    }
    [[noreturn]] void refuse_member(std::string_view name, const std::string& what) const {
        refuse(fmt::format("member {}: {}", in_quotes(name), what));
    }
    /// The `size` bytes at `offset`. They must end at or before `limit`. `what` names them in
    /// messages.
    std::span<const std::byte> part(std::uint64_t offset, std::uint64_t size, std::uint64_t limit,
                                    std::string_view what) const {
        if (offset > limit || size > limit - offset)
            refuse(fmt::format(
                "{} should lie at byte {} with {} bytes, but {} end at byte {}; the "
                "archive is truncated or damaged",
                what, offset, size, limit == bytes.size() ? "the file" : "members", limit));
        return bytes.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
    }
};

/// The place and length of the central directory in bytes, and its number of entries.
struct ZipDirectory {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint64_t entries = 0;
};

/// Finds the central directory of an archive that must fill the file. Throws Error(format) where
/// bytes follow the archive, where it is a part of a split archive, and where its end records
/// contradict each other or are in the wrong place.
ZipDirectory find_zip_directory(const ZipBytes& archive);

}  // namespace vit::inline internal
