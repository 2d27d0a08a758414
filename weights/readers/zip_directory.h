// Finds the central directory of a zip archive from its end records. Only for zip_members.cpp.
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

/// An archive's bytes, and errors that name it.
struct ZipBytes {
    std::span<const std::byte> bytes;
    std::string_view where;

    [[noreturn]] void refuse(const std::string& what) const {
        throw Error(ErrorKind::format, fmt::format("{}: {}", where, what));
    }
    [[noreturn]] void refuse_member(std::string_view name, const std::string& what) const {
        refuse(fmt::format("member {}: {}", in_quotes(name), what));
    }
    /// `size` bytes at `offset`, which must end before `limit`.
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

/// The place of the central directory.
struct ZipDirectory {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint64_t entries = 0;
};

/// The archive must fill the file. Refuses other archives after it, parts of split archives, and
/// end records that contradict each other or are at the wrong place. Throws Error(format).
ZipDirectory find_zip_directory(const ZipBytes& archive);

}  // namespace vit::inline internal
