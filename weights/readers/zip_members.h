// The members of a zip archive, as its central directory lists them and its local headers confirm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace vit::inline internal {

/// The two compression methods that checkpoints use.
enum class ZipMethod : std::uint16_t { stored = 0, deflate = 8 };

struct ZipMember {
    std::string_view name;            ///< bytes of the archive
    std::span<const std::byte> data;  ///< as stored in the archive, maybe compressed
    std::uint64_t size = 0;           ///< once inflated
    ZipMethod method = ZipMethod::stored;
    std::uint32_t crc = 0;  ///< of the inflated bytes; torch may leave it out
};

/// Returns whether the bytes begin with the signature of a zip archive.
bool looks_like_zip(std::span<const std::byte> bytes) noexcept;

/// Returns the members in the order of the central directory (zip and zip64), as views into
/// `bytes`. Copies and inflates nothing, and does not verify checksums. Refuses: methods other than
/// stored and deflate, encryption, archives of several disks, names that are equal or differ only
/// in case or lead out of a folder, members that overlap, local headers that contradict the central
/// directory, anything outside the file, bytes that belong to no member, and a second archive in
/// the same file. `where` names the archive in messages. Throws Error(format).
std::vector<ZipMember> zip_members(std::span<const std::byte> bytes, std::string_view where);

}  // namespace vit::inline internal
