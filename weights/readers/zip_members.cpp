#include "weights/readers/zip_members.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <string>

#include "vit/error.h"
#include "weights/model_file/checked.h"
#include "weights/model_file/text.h"
#include "weights/readers/little_endian.h"

namespace vit {

namespace {

// Names, sizes and fields as in PKWARE's APPNOTE 6.3.10, section 4.3.
constexpr std::uint32_t local_signature = 0x04034b50;
constexpr std::uint32_t central_signature = 0x02014b50;
constexpr std::uint32_t end_signature = 0x06054b50;
constexpr std::uint32_t end64_signature = 0x06064b50;
constexpr std::uint32_t locator64_signature = 0x07064b50;
constexpr std::uint64_t most_members =
    262'144;  // four sets of 65,536 tensors: weights, EMA, optimizer
constexpr std::uint64_t local_bytes = 30;
constexpr std::uint64_t central_bytes = 46;
constexpr std::uint64_t end_bytes = 22;
constexpr std::uint64_t end64_bytes = 56;
constexpr std::uint64_t locator64_bytes = 20;
constexpr std::uint64_t most_descriptor_bytes = 24;
constexpr std::uint16_t zip64_extra = 0x0001;
constexpr std::uint32_t saturated32 = 0xFFFFFFFF;
constexpr std::uint16_t saturated16 = 0xFFFF;

constexpr std::uint16_t flag_descriptor = 0x0008;
constexpr std::uint16_t flag_deflate_level = 0x0006;
constexpr std::uint16_t flag_utf8 = 0x0800;
constexpr std::uint16_t flags_of_encryption = 0x2041;

struct Archive {
    std::span<const std::byte> bytes;
    std::string_view where;

    [[noreturn]] void refuse(const std::string& what) const {
        throw Error(ErrorKind::format, fmt::format("{}: {}", where, what));
    }
    [[noreturn]] void refuse_member(std::string_view name, const std::string& what) const {
        refuse(fmt::format("member {}: {}", in_quotes(name), what));
    }
    /// `size` bytes at `offset`, which must lie before `limit`.
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

struct Directory {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint64_t entries = 0;
};

/// Where the last end record begins whose directory lies right before it; nothing for none.
std::optional<std::uint64_t> last_plausible_end(std::span<const std::byte> bytes) {
    for (std::uint64_t at = bytes.size() - end_bytes + 1; at-- > 0;) {
        if (bytes[static_cast<std::size_t>(at)] != std::byte{'P'}) continue;
        const LittleEndian record(bytes.subspan(static_cast<std::size_t>(at)));
        if (record.u32(0) != end_signature) continue;
        const std::uint64_t size = record.u32(12), offset = record.u32(16);
        const bool is_zip64 =
            at >= locator64_bytes &&
            LittleEndian(bytes.subspan(static_cast<std::size_t>(at - locator64_bytes))).u32(0) ==
                locator64_signature;
        if (is_zip64 || offset + size == at) return at;
    }
    return std::nullopt;
}

[[noreturn]] void refuse_end(const Archive& archive) {
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

/// The end record's comment reaches the end of the file exactly, and holds no other end record:
/// readers that look for the last one would see another archive.
std::uint64_t find_end(const Archive& archive) {
    const auto& bytes = archive.bytes;
    bool another = false;
    if (bytes.size() >= end_bytes) {
        const std::uint64_t last = bytes.size() - end_bytes;
        const std::uint64_t first = last > saturated16 ? last - saturated16 : 0;
        for (std::uint64_t at = last + 1; at-- > first;) {
            const LittleEndian record(bytes.subspan(static_cast<std::size_t>(at)));
            if (record.u32(0) != end_signature) continue;
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

Directory find_directory(const Archive& archive) {
    const std::uint64_t end = find_end(archive);
    const LittleEndian record(archive.bytes.subspan(static_cast<std::size_t>(end)));
    Directory directory{record.u32(16), record.u32(12), record.u16(10)};
    std::uint64_t limit = end;
    const auto first_disk = [](std::uint16_t disk) { return disk == 0 || disk == saturated16; };
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
        // Its only place: an archive before this one has a record at the same offset.
        if (at + end64_bytes != locator_at || wide.u64(4) != end64_bytes - 12)
            archive.refuse(fmt::format(
                "expected the zip64 end-of-directory record at byte {}, right before its locator, "
                "found it at byte {}; is this one archive behind another?",
                locator_at - std::min(locator_at, end64_bytes), at));
        const Directory narrow = directory;
        directory = {wide.u64(48), wide.u64(40), wide.u64(32)};
        // Readers that know no zip64 must not see another archive than those that do.
        const auto agree = [](std::uint64_t small, std::uint64_t large, std::uint64_t saturated) {
            return small == saturated || small == large;
        };
        if (!agree(narrow.offset, directory.offset, saturated32) ||
            !agree(narrow.size, directory.size, saturated32) ||
            !agree(narrow.entries, directory.entries, saturated16))
            archive.refuse("the zip64 record and the end-of-directory record disagree");
        one_disk = wide.u32(16) == 0 && wide.u32(20) == 0 && locator.u32(4) == 0 &&
                   locator.u32(16) <= 1 && first_disk(record.u16(4)) && first_disk(record.u16(6));
        on_this_disk = wide.u64(24);
        limit = at;
    } else if (directory.offset == saturated32 || directory.size == saturated32 ||
               directory.entries == saturated16) {
        archive.refuse("the archive needs a zip64 record, but has none");
    }
    if (!one_disk || on_this_disk != directory.entries)
        archive.refuse("expected a zip archive in one file, found a part of a split one");
    if (directory.offset > limit || directory.size != limit - directory.offset)
        archive.refuse(
            fmt::format("the central directory should fill bytes {} to {}, but claims {} bytes at "
                        "byte {}; the archive is truncated or has foreign bytes before it",
                        directory.offset, limit, directory.size, directory.offset));
    if (directory.entries > directory.size / central_bytes)
        archive.refuse(fmt::format("{} members do not fit into a central directory of {} bytes",
                                   directory.entries, directory.size));
    if (directory.entries > most_members)
        archive.refuse(
            fmt::format("expected at most {} members, found {}", most_members, directory.entries));
    return directory;
}

/// What both headers of a member say.
struct Header {
    std::uint16_t flags = 0;
    std::uint16_t method = 0;
    std::uint32_t crc = 0;
    std::uint64_t compressed = 0;
    std::uint64_t size = 0;
    std::uint64_t offset = 0;  ///< of the local header; central only
};

/// Replaces saturated fields by the zip64 extra field's, in the order that it keeps them.
void widen(Header& header, std::span<const std::byte> extra, bool with_offset,
           const Archive& archive, std::string_view name) {
    bool found = false;
    while (extra.size() >= 4) {
        const LittleEndian field(extra);
        const std::uint16_t id = field.u16(0);
        const std::size_t length = field.u16(2);
        if (length > extra.size() - 4)
            archive.refuse_member(name, "an extra field reaches beyond its header");
        if (id == zip64_extra) {
            if (found) archive.refuse_member(name, "found two zip64 extra fields");
            found = true;
            const LittleEndian wide(extra.subspan(4, length));
            std::size_t at = 0;
            const auto take = [&](std::uint64_t& value) {
                if (value != saturated32) return;
                if (length - at < 8)
                    archive.refuse_member(name, "its zip64 extra field is too short");
                value = wide.u64(at);
                at += 8;
            };
            take(header.size);
            take(header.compressed);
            if (with_offset) take(header.offset);
        }
        extra = extra.subspan(4 + length);
    }
}

void check_local(const Archive& archive, std::string_view name, const Header& central,
                 const LittleEndian& local, std::span<const std::byte> extra) {
    Header header{local.u16(6), local.u16(8), local.u32(14), local.u32(18), local.u32(22), 0};
    widen(header, extra, false, archive, name);
    const auto disagree = [&](std::string_view what) {
        archive.refuse_member(
            name, fmt::format("its local header at byte {} disagrees with the central directory "
                              "about its {}",
                              central.offset, what));
    };
    if (header.flags != central.flags) disagree("flags");
    if (header.method != central.method) disagree("compression method");
    // With a data descriptor the local header may leave these to it.
    const bool later = (header.flags & flag_descriptor) != 0;
    if (header.crc != central.crc && !(later && header.crc == 0)) disagree("checksum");
    if (header.compressed != central.compressed && !(later && header.compressed == 0))
        disagree("compressed size");
    if (header.size != central.size && !(later && header.size == 0)) disagree("size");
}

/// A path that stays in the folder where an archive is unpacked.
bool is_safe_path(std::string_view name) {
    if (name.starts_with('/') || name.starts_with('\\')) return false;
    while (!name.empty()) {
        const std::size_t end = std::min(name.find_first_of("/\\"), name.size());
        if (name.substr(0, end) == "..") return false;
        name.remove_prefix(std::min(end + 1, name.size()));
    }
    return true;
}

char folded(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool folded_less(std::string_view a, std::string_view b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                        [](char x, char y) { return folded(x) < folded(y); });
}

void check_names(const Archive& archive, const std::vector<ZipMember>& members) {
    std::vector<std::uint32_t> order(members.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        return folded_less(members[a].name, members[b].name);
    });
    for (std::size_t i = 1; i < order.size(); ++i) {
        const std::string_view a = members[order[i - 1]].name;
        const std::string_view b = members[order[i]].name;
        if (folded_less(a, b)) continue;
        archive.refuse_member(a, a == b ? std::string("the archive has two members of this name")
                                        : fmt::format("its name differs from that of {} in case "
                                                      "only",
                                                      in_quotes(b)));
    }
}

struct Extent {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint32_t member = 0;
    bool has_descriptor = false;
};

/// Bytes that belong to no member may be another archive.
void check_gaps(const Archive& archive, const std::vector<ZipMember>& members,
                const std::vector<Extent>& sorted, std::uint64_t directory) {
    std::uint64_t filled = 0;
    std::uint64_t allowed = 0;
    std::string after = "the file's beginning";
    const auto check = [&](std::uint64_t begin) {
        if (begin > filled + allowed)
            archive.refuse(fmt::format(
                "{} bytes after {}, from byte {}, belong to no member; are these two archives in "
                "one file?",
                begin - filled, after, filled));
    };
    for (const Extent& extent : sorted) {
        check(extent.begin);
        filled = extent.end;
        allowed = extent.has_descriptor ? most_descriptor_bytes : 0;
        after = "member " + in_quotes(members[extent.member].name);
    }
    check(directory);
}

void check_overlap(const Archive& archive, const std::vector<ZipMember>& members,
                   std::vector<Extent>& extents) {
    std::sort(extents.begin(), extents.end(),
              [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
    for (std::size_t i = 1; i < extents.size(); ++i)
        if (extents[i].begin < extents[i - 1].end)
            archive.refuse_member(
                members[extents[i].member].name,
                fmt::format("begins at byte {}, inside member {}, which ends at byte {}",
                            extents[i].begin, in_quotes(members[extents[i - 1].member].name),
                            extents[i - 1].end));
}

}  // namespace

bool looks_like_zip(std::span<const std::byte> bytes) noexcept {
    if (bytes.size() < 4) return false;
    const std::uint32_t signature = LittleEndian(bytes).u32(0);
    return signature == local_signature || signature == end_signature;
}

std::vector<ZipMember> zip_members(std::span<const std::byte> bytes, std::string_view where) {
    const Archive archive{bytes, where};
    const Directory directory = find_directory(archive);
    const std::uint64_t directory_end = directory.offset + directory.size;

    std::vector<ZipMember> members;
    std::vector<Extent> extents;
    members.reserve(static_cast<std::size_t>(directory.entries));
    extents.reserve(static_cast<std::size_t>(directory.entries));
    std::uint64_t at = directory.offset;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
        const std::string what = fmt::format("entry {} of the central directory", i);
        const LittleEndian entry(archive.part(at, central_bytes, directory_end, what));
        if (entry.u32(0) != central_signature)
            archive.refuse(fmt::format("expected {} at byte {}, found other bytes", what, at));
        const std::uint64_t name_bytes = entry.u16(28);
        const std::uint64_t extra_bytes = entry.u16(30);
        const auto rest = archive.part(at + central_bytes, name_bytes + extra_bytes + entry.u16(32),
                                       directory_end, what);
        at += central_bytes + rest.size();
        const std::string_view name(reinterpret_cast<const char*>(rest.data()),
                                    static_cast<std::size_t>(name_bytes));
        const auto refuse = [&](const std::string& text) { archive.refuse_member(name, text); };
        if (name.empty() || name.find('\0') != std::string_view::npos)
            refuse("expected a name without zero bytes");
        if (!is_safe_path(name))
            refuse("expected a name inside of the archive, found one that leads out of it");

        Header header{entry.u16(8),  entry.u16(10), entry.u32(16),
                      entry.u32(20), entry.u32(24), entry.u32(42)};
        if (entry.u16(34) != 0 && entry.u16(34) != saturated16)
            refuse("lies on another disk of a split archive");
        widen(header,
              rest.subspan(static_cast<std::size_t>(name_bytes),
                           static_cast<std::size_t>(extra_bytes)),
              true, archive, name);
        if ((header.flags & flags_of_encryption) != 0)
            refuse("is encrypted; expected an archive without encryption");
        if (header.method != 0 && header.method != 8)
            refuse(fmt::format("expected it stored (0) or deflated (8), found method {}",
                               header.method));
        if ((header.flags & ~(flag_descriptor | flag_deflate_level | flag_utf8)) != 0)
            refuse(fmt::format("flags {:#06x} are not supported", header.flags));
        if (header.method == 0 && header.size != header.compressed)
            refuse(fmt::format("is stored, but {} bytes stand for {}", header.compressed,
                               header.size));

        const auto local_part =
            archive.part(header.offset, local_bytes, directory.offset, "a local header");
        const LittleEndian local(local_part);
        if (local.u32(0) != local_signature)
            refuse(fmt::format("expected its local header at byte {}, found other bytes",
                               header.offset));
        const std::uint64_t local_name_bytes = local.u16(26);
        const std::uint64_t local_extra_bytes = local.u16(28);
        const auto local_rest =
            archive.part(header.offset + local_bytes, local_name_bytes + local_extra_bytes,
                         directory.offset, "a local header");
        if (local_name_bytes != name_bytes ||
            std::memcmp(local_rest.data(), name.data(), name.size()) != 0)
            refuse(fmt::format("its local header at byte {} has another name", header.offset));
        check_local(archive, name, header, local,
                    local_rest.subspan(static_cast<std::size_t>(name_bytes)));

        const std::uint64_t begin = header.offset + local_bytes + local_rest.size();
        const auto data = archive.part(begin, header.compressed, directory.offset,
                                       fmt::format("member {}", in_quotes(name)));
        extents.push_back({header.offset, begin + data.size(), static_cast<std::uint32_t>(i),
                           (header.flags & flag_descriptor) != 0});
        members.push_back(
            {name, data, header.size, static_cast<ZipMethod>(header.method), header.crc});
    }
    if (at != directory_end)
        archive.refuse(
            fmt::format("the central directory lists {} members, but {} bytes follow them",
                        directory.entries, directory_end - at));
    check_names(archive, members);
    check_overlap(archive, members, extents);
    check_gaps(archive, members, extents, directory.offset);
    return members;
}

}  // namespace vit
