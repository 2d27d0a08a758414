// Lists the members of a zip archive from its central directory, and checks them against the local
// headers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace vit::inline internal {

/// How a member's bytes are stored. Checkpoints use only these two methods.
enum class ZipMethod : std::uint16_t { stored = 0, deflate = 8 };

struct ZipMember {
    std::string_view name;            ///< a view into the archive
    std::span<const std::byte> data;  ///< as stored in the archive, maybe compressed
    std::uint64_t size = 0;           ///< in bytes, after inflating
    ZipMethod method = ZipMethod::stored;
    std::uint32_t crc = 0;  ///< of the inflated bytes; 0 where torch left it out
};

/// True when the bytes begin with a signature of zip archives.
bool looks_like_zip(std::span<const std::byte> bytes) noexcept;

/// The members in the order of the central directory (zip and zip64), as views into `bytes`. Copies
/// and inflates nothing, and verifies no checksums. `where` names the archive in messages.
/// Throws Error(format) for methods other than stored and deflate, encryption, archives of several
/// disks, names that are equal, differ only in case or lead out of a folder, members that overlap,
/// local headers that contradict the central directory, anything outside the file, bytes that
/// belong to no member, and a second archive in the same file.
std::vector<ZipMember> zip_members(std::span<const std::byte> bytes, std::string_view where);

}  // namespace vit::inline internal
