#include "weights/readers/zip_directory.h"

#include <algorithm>
#include <optional>

#include "weights/readers/little_endian.h"

namespace vit::inline internal {

namespace {

constexpr std::uint32_t end64_signature = 0x06064b50;
constexpr std::uint32_t locator64_signature = 0x07064b50;
constexpr std::uint64_t most_members =
    262'144;  // four sets of 65,536 tensors: weights, EMA weights, two of an optimizer
constexpr std::uint64_t end_bytes = 22;
constexpr std::uint64_t end64_bytes = 56;
constexpr std::uint64_t locator64_bytes = 20;

/// The offset of the last end record that directly follows its directory or a zip64 locator;
/// nothing where there is none. `bytes` must have room for an end record.
std::optional<std::uint64_t> last_plausible_end(std::span<const std::byte> bytes) {
    for (std::uint64_t at = bytes.size() - end_bytes + 1; at-- > 0;) {
        if (bytes[static_cast<std::size_t>(at)] != std::byte{'P'}) continue;
        const LittleEndian record(bytes.subspan(static_cast<std::size_t>(at)));
        if (record.u32(0) != zip_end_signature) continue;
        const std::uint64_t size = record.u32(12), offset = record.u32(16);
        const bool is_zip64 =
            at >= locator64_bytes &&
            LittleEndian(bytes.subspan(static_cast<std::size_t>(at - locator64_bytes))).u32(0) ==
                locator64_signature;
        if (is_zip64 || offset + size == at) return at;
    }
    return std::nullopt;
}

[[noreturn]] void refuse_end(const ZipBytes& archive) {
    const std::uint64_t length = archive.bytes.size();
    if (length >= end_bytes) {
        if (const auto at = last_plausible_end(archive.bytes)) {
            const LittleEndian record(archive.bytes.subspan(static_cast<std::size_t>(*at)));
            const std::uint64_t end = *at + end_bytes + record.u16(20);
            if (end < length)
                archive.refuse(fmt::format(
                    "{} bytes follow the end of this zip archive, at byte {}; remove them, or "
                    "take another copy of the file",
                    length - end, end));
        }
    }
    archive.refuse(
        "no end-of-directory record found in this zip archive; the file is truncated (was the "
        "download complete?)");
}

/// The offset of the end record. Its comment must end exactly at the end of the file. The comment
/// must not contain another end record: a reader that looks for the last one would see another
/// archive.
std::uint64_t find_end(const ZipBytes& archive) {
    const auto& bytes = archive.bytes;
    bool another = false;
    if (bytes.size() >= end_bytes) {
        const std::uint64_t last = bytes.size() - end_bytes;
        const std::uint64_t first = last > zip_saturated16 ? last - zip_saturated16 : 0;
        for (std::uint64_t at = last + 1; at-- > first;) {
            const LittleEndian record(bytes.subspan(static_cast<std::size_t>(at)));
            if (record.u32(0) != zip_end_signature) continue;
            if (record.u16(20) == last - at) {
                if (another)
                    archive.refuse("expected one zip archive, found a second in its comment");
                return at;
            }
            another = true;
        }
    }
    refuse_end(archive);
}

}  // namespace

ZipDirectory find_zip_directory(const ZipBytes& archive) {
    const std::uint64_t end = find_end(archive);
    const LittleEndian record(archive.bytes.subspan(static_cast<std::size_t>(end)));
    ZipDirectory directory{record.u32(16), record.u32(12), record.u16(10)};
    std::uint64_t limit = end;
    const auto first_disk = [](std::uint16_t disk) { return disk == 0 || disk == zip_saturated16; };
    bool one_disk = record.u16(4) == 0 && record.u16(6) == 0;
    std::uint64_t on_this_disk = record.u16(8);

    const bool is_zip64 =
        end >= locator64_bytes &&
        LittleEndian(archive.bytes.subspan(static_cast<std::size_t>(end - locator64_bytes)))
                .u32(0) == locator64_signature;
    if (is_zip64) {
        const std::uint64_t locator_at = end - locator64_bytes;
        const LittleEndian locator(
            archive.part(locator_at, locator64_bytes, end, "the zip64 locator"));
        const std::uint64_t at = locator.u64(8);
        const LittleEndian wide(
            archive.part(at, end64_bytes, locator_at, "the zip64 end-of-directory record"));
        if (wide.u32(0) != end64_signature)
            archive.refuse(
                fmt::format("expected a zip64 end-of-directory record at byte {}, found none", at));
        // This is its only valid place. Where another archive precedes this one, the offset may
        // point to a record of that archive.
        if (at + end64_bytes != locator_at || wide.u64(4) != end64_bytes - 12)
            archive.refuse(fmt::format(
                "expected the zip64 end-of-directory record at byte {}, right before its locator, "
                "found it at byte {}; is this one archive behind another?",
                locator_at - std::min(locator_at, end64_bytes), at));
        const ZipDirectory narrow = directory;
        directory = {wide.u64(48), wide.u64(40), wide.u64(32)};
        // Readers with and without support for zip64 must see the same archive.
        const auto agree = [](std::uint64_t small, std::uint64_t large, std::uint64_t saturated) {
            return small == saturated || small == large;
        };
        if (!agree(narrow.offset, directory.offset, zip_saturated32) ||
            !agree(narrow.size, directory.size, zip_saturated32) ||
            !agree(narrow.entries, directory.entries, zip_saturated16))
            archive.refuse("the zip64 record and the end-of-directory record disagree");
        one_disk = wide.u32(16) == 0 && wide.u32(20) == 0 && locator.u32(4) == 0 &&
                   locator.u32(16) <= 1 && first_disk(record.u16(4)) && first_disk(record.u16(6));
        on_this_disk = wide.u64(24);
        limit = at;
    } else if (directory.offset == zip_saturated32 || directory.size == zip_saturated32 ||
               directory.entries == zip_saturated16) {
        archive.refuse("the archive needs a zip64 record, but has none");
    }
    if (!one_disk || on_this_disk != directory.entries)
        archive.refuse("expected a zip archive in one file, found a part of a split one");
    if (directory.offset > limit || directory.size != limit - directory.offset)
        archive.refuse(
            fmt::format("the central directory should fill bytes {} to {}, but claims {} bytes at "
                        "byte {}; the archive is truncated or has foreign bytes before it",
                        directory.offset, limit, directory.size, directory.offset));
    if (directory.entries > directory.size / zip_central_bytes)
        archive.refuse(fmt::format("{} members do not fit into a central directory of {} bytes",
                                   directory.entries, directory.size));
    if (directory.entries > most_members)
        archive.refuse(
            fmt::format("expected at most {} members, found {}", most_members, directory.entries));
    return directory;
}

}  // namespace vit::inline internal
