#include "weights/readers/member_bytes.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <string>

#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

constexpr std::uint64_t inflation = 3;
constexpr std::uint64_t inflation_base = std::uint64_t{64} << 20;

[[noreturn]] void refuse(std::string_view where, const ZipMember& member, const std::string& what) {
    throw Error(ErrorKind::format,
                fmt::format("{}: member {}: {}", where, in_quotes(member.name), what));
}

Bytef* zlib_bytes(const std::byte* bytes) {
    return reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes));  // zlib takes no const pointer
}

struct Stream {
    z_stream state{};
    Stream() {
        if (inflateInit2(&state, -MAX_WBITS) != Z_OK)
            throw Error(ErrorKind::memory, "not enough memory to inflate");
    }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream() { inflateEnd(&state); }
};

/// zlib's counters have 32 bits. When `available` is 0, moves as much of `left` into it as fits.
void refill(uInt& available, std::size_t& left) {
    if (available != 0) return;
    available = static_cast<uInt>(std::min<std::size_t>(left, std::numeric_limits<uInt>::max()));
    left -= available;
}

std::vector<std::byte> inflated(const ZipMember& member, std::string_view where) {
    std::vector<std::byte> out =
        checked::bytes(member.size, fmt::format("{}: member {}", where, in_quotes(member.name)));
    std::byte nothing{};  // zlib needs an address even for no bytes
    Stream stream;
    z_stream& state = stream.state;
    state.next_in = zlib_bytes(member.data.data());
    state.next_out = zlib_bytes(out.empty() ? &nothing : out.data());
    std::size_t in_left = member.data.size();
    std::size_t out_left = out.size();
    int status = Z_OK;
    while (status == Z_OK) {
        refill(state.avail_in, in_left);
        refill(state.avail_out, out_left);
        status = inflate(&state, Z_NO_FLUSH);
    }
    if (status != Z_STREAM_END || state.avail_in + in_left != 0 || state.avail_out + out_left != 0)
        refuse(where, member,
               fmt::format("its compressed data are damaged, or do not inflate to {} bytes",
                           member.size));
    return out;
}

}  // namespace

std::span<const std::byte> member_bytes(const ZipMember& member, std::string_view where,
                                        std::deque<std::vector<std::byte>>& owned) {
    std::span<const std::byte> bytes = member.data;
    if (member.method == ZipMethod::deflate) bytes = owned.emplace_back(inflated(member, where));
    if (member.crc == 0) return bytes;
    const auto crc = static_cast<std::uint32_t>(crc32_z(0, zlib_bytes(bytes.data()), bytes.size()));
    if (crc != member.crc)
        refuse(where, member,
               fmt::format("its bytes are damaged: expected checksum {:08x}, found {:08x}; take "
                           "another copy of the file",
                           member.crc, crc));
    return bytes;
}

void check_inflation(std::span<const ZipMember> members, std::string_view where) {
    std::uint64_t packed = 0;
    std::uint64_t total = 0;
    for (const ZipMember& member : members) {
        packed = checked::add(packed, member.data.size(), where);
        total = checked::add(total, member.size, where);
    }
    const std::uint64_t most = inflation * packed + inflation_base;
    if (total > most)
        throw Error(ErrorKind::format,
                    fmt::format("{}: {} bytes inflate to {}, more than the {} allowed; save the "
                                "file again without compression",
                                where, packed, total, most));
}

}  // namespace vit::inline internal
