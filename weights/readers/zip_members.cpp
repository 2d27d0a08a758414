#include "weights/readers/zip_members.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>

#include "engine/base/text.h"
#include "weights/readers/little_endian.h"
#include "weights/readers/zip_directory.h"

namespace vit::inline internal {

namespace {

// Names, sizes and fields as in PKWARE's APPNOTE 6.3.10, section 4.3.
constexpr std::uint32_t local_signature = 0x04034b50;
constexpr std::uint32_t central_signature = 0x02014b50;
constexpr std::uint64_t local_bytes = 30;
constexpr std::uint64_t most_descriptor_bytes = 24;
constexpr std::uint16_t zip64_extra = 0x0001;

constexpr std::uint16_t flag_descriptor = 0x0008;
constexpr std::uint16_t flag_deflate_level = 0x0006;
constexpr std::uint16_t flag_utf8 = 0x0800;
constexpr std::uint16_t flags_of_encryption = 0x2041;

/// The fields that a member has in its local header and in the central directory.
struct Header {
    std::uint16_t flags = 0;
    std::uint16_t method = 0;
    std::uint32_t crc = 0;
    std::uint64_t compressed = 0;
    std::uint64_t size = 0;
    std::uint64_t offset = 0;  ///< of the local header; only in the central directory
};

/// Replaces fields that have the largest 32-bit value by those of the zip64 extra field. That field
/// has them in this order.
void widen(Header& header, std::span<const std::byte> extra, bool with_offset,
           const ZipBytes& archive, std::string_view name) {
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
                if (value != zip_saturated32) return;
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

void check_local(const ZipBytes& archive, std::string_view name, const Header& central,
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
    // Where a data descriptor follows the member, these may be 0 in the local header.
    const bool later = (header.flags & flag_descriptor) != 0;
    if (header.crc != central.crc && !(later && header.crc == 0)) disagree("checksum");
    if (header.compressed != central.compressed && !(later && header.compressed == 0))
        disagree("compressed size");
    if (header.size != central.size && !(later && header.size == 0)) disagree("size");
}

/// Whether the path stays inside the folder into which an archive is unpacked.
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

void check_names(const ZipBytes& archive, const std::vector<ZipMember>& members) {
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

/// Refuses bytes that belong to no member, because they may be another archive. Only a data
/// descriptor may follow a member. `sorted` is in the order of the file.
void check_gaps(const ZipBytes& archive, const std::vector<ZipMember>& members,
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

void check_overlap(const ZipBytes& archive, const std::vector<ZipMember>& members,
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
    return signature == local_signature || signature == zip_end_signature;
}

std::vector<ZipMember> zip_members(std::span<const std::byte> bytes, std::string_view where) {
    const ZipBytes archive{bytes, where};
    const ZipDirectory directory = find_zip_directory(archive);
    const std::uint64_t directory_end = directory.offset + directory.size;

    std::vector<ZipMember> members;
    std::vector<Extent> extents;
    members.reserve(static_cast<std::size_t>(directory.entries));
    extents.reserve(static_cast<std::size_t>(directory.entries));
    std::uint64_t at = directory.offset;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
        const std::string what = fmt::format("entry {} of the central directory", i);
        const LittleEndian entry(archive.part(at, zip_central_bytes, directory_end, what));
        if (entry.u32(0) != central_signature)
            archive.refuse(fmt::format("expected {} at byte {}, found other bytes", what, at));
        const std::uint64_t name_bytes = entry.u16(28);
        const std::uint64_t extra_bytes = entry.u16(30);
        const auto rest = archive.part(
            at + zip_central_bytes, name_bytes + extra_bytes + entry.u16(32), directory_end, what);
        at += zip_central_bytes + rest.size();
        const std::string_view name(reinterpret_cast<const char*>(rest.data()),
                                    static_cast<std::size_t>(name_bytes));
        const auto refuse = [&](const std::string& text) { archive.refuse_member(name, text); };
        if (name.empty() || name.find('\0') != std::string_view::npos)
            refuse("expected a name without zero bytes");
        if (!is_safe_path(name))
            refuse("expected a name inside of the archive, found one that leads out of it");

        Header header{entry.u16(8),  entry.u16(10), entry.u32(16),
                      entry.u32(20), entry.u32(24), entry.u32(42)};
        if (entry.u16(34) != 0 && entry.u16(34) != zip_saturated16)
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

}  // namespace vit::inline internal
