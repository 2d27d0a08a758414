// Zip archives and torch pickles made by hand. Each is correct, or wrong in one chosen way.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vit::test {

/// Joins the parts. (GCC 12 warns falsely about `literal + std::string`.)
inline std::string cat(std::initializer_list<std::string_view> parts) {
    std::string out;
    for (const std::string_view part : parts) out += part;
    return out;
}

inline std::string little(std::uint64_t value, std::size_t bytes) {
    std::string out;
    for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
    return out;
}

/// One member of an archive made by hand. Fields that are set replace the correct values.
struct Entry {
    std::string name;
    std::string data = {};
    std::uint16_t method = 0;
    std::uint16_t flags = 0;
    std::optional<std::uint64_t> size = {};  ///< the inflated size, if `data` is compressed
    std::optional<std::uint32_t> crc = {};   ///< replaces the CRC of `data`
    bool descriptor = false;                 ///< sizes after the data, as in a stream
    bool zip64 = false;                      ///< sizes and offset are in the extra field
    std::optional<std::string> local_name = {};
    std::optional<std::uint64_t> local_size = {};
    std::optional<std::uint16_t> local_method = {};
    std::optional<std::uint16_t> local_flags = {};
    std::optional<std::uint64_t> central_size = {};  ///< both sizes in the central directory
    std::optional<std::uint64_t> central_offset = {};
};

inline std::uint32_t crc32(std::string_view bytes) {
    std::uint32_t crc = 0xFFFFFFFF;
    for (const char c : bytes) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xEDB88320u : 0u);
    }
    return ~crc;
}

inline std::string make_zip(const std::vector<Entry>& entries, bool zip64_end = false) {
    std::string out;
    std::string central;
    for (const Entry& entry : entries) {
        const std::uint64_t offset = entry.central_offset.value_or(out.size());
        const std::uint64_t size = entry.size.value_or(entry.data.size());
        const std::uint32_t crc = entry.crc.value_or(crc32(entry.data));
        const auto flags = static_cast<std::uint16_t>(entry.flags | (entry.descriptor ? 8 : 0));
        const std::string name = entry.local_name.value_or(entry.name);
        const std::uint64_t local_packed =
            entry.descriptor ? 0 : entry.local_size.value_or(entry.data.size());
        const std::uint64_t local_size = entry.descriptor ? 0 : entry.local_size.value_or(size);
        const bool wide = entry.zip64;
        const std::string local_extra =
            wide ? little(1, 2) + little(16, 2) + little(local_size, 8) + little(local_packed, 8)
                 : "";
        out += little(0x04034b50, 4) + little(20, 2) +
               little(entry.local_flags.value_or(flags), 2) +
               little(entry.local_method.value_or(entry.method), 2) + little(0, 4) +
               little(entry.descriptor ? 0 : crc, 4) + little(wide ? 0xFFFFFFFF : local_packed, 4) +
               little(wide ? 0xFFFFFFFF : local_size, 4) + little(name.size(), 2) +
               little(local_extra.size(), 2) + name + local_extra + entry.data;
        if (entry.descriptor)
            out += little(0x08074b50, 4) + little(crc, 4) + little(entry.data.size(), 4) +
                   little(size, 4);
        const std::uint64_t packed = entry.central_size.value_or(entry.data.size());
        const std::uint64_t full = entry.central_size.value_or(size);
        const std::string extra = wide ? little(1, 2) + little(24, 2) + little(full, 8) +
                                             little(packed, 8) + little(offset, 8)
                                       : "";
        central += little(0x02014b50, 4) + little(20, 2) + little(20, 2) + little(flags, 2) +
                   little(entry.method, 2) + little(0, 4) + little(crc, 4) +
                   little(wide ? 0xFFFFFFFF : packed, 4) + little(wide ? 0xFFFFFFFF : full, 4) +
                   little(entry.name.size(), 2) + little(extra.size(), 2) + little(0, 2) +
                   little(0, 2) + little(0, 2) + little(0, 4) +
                   little(wide ? 0xFFFFFFFF : offset, 4) + entry.name + extra;
    }
    const std::uint64_t begin = out.size();
    out += central;
    if (zip64_end) {
        const std::uint64_t at = out.size();
        out += little(0x06064b50, 4) + little(44, 8) + little(45, 2) + little(45, 2) +
               little(0, 4) + little(0, 4) + little(entries.size(), 8) + little(entries.size(), 8) +
               little(central.size(), 8) + little(begin, 8);
        out += little(0x07064b50, 4) + little(0, 4) + little(at, 8) + little(1, 4);
    }
    out += little(0x06054b50, 4) + little(0, 4) +
           (zip64_end ? little(0xFFFF, 2) + little(0xFFFF, 2)
                      : little(entries.size(), 2) + little(entries.size(), 2)) +
           little(central.size(), 4) + little(zip64_end ? 0xFFFFFFFF : begin, 4) + little(0, 2);
    return out;
}

/// A torch archive with this data.pkl and these storages ("0", "1", …).
inline std::string make_torch(std::string_view pickle,
                              const std::vector<std::string>& storages = {},
                              std::string_view byteorder = "little") {
    std::vector<Entry> entries{{.name = "a/data.pkl", .data = std::string(pickle)},
                               {.name = "a/byteorder", .data = std::string(byteorder)}};
    for (std::size_t i = 0; i < storages.size(); ++i)
        entries.push_back({.name = cat({"a/data/", std::to_string(i)}), .data = storages[i]});
    return make_zip(entries);
}

// Parts of a pickle of protocol 2.

inline const std::string proto = "\x80\x02";

inline std::string text(std::string_view value) {
    return cat({"X", little(value.size(), 4), value});
}

inline std::string integer(std::int64_t value) {
    return cat({"\x8a\x08", little(static_cast<std::uint64_t>(value), 8)});
}

inline std::string global(std::string_view module, std::string_view name) {
    return cat({"c", module, "\n", name, "\n"});
}

inline std::string tuple(const std::vector<std::string>& items) {
    std::string out = "(";
    for (const std::string& item : items) out += item;
    return out + "t";
}

/// _rebuild_tensor_v2 with storage `key`.
inline std::string tensor(std::string_view key, std::int64_t numel, std::int64_t offset,
                          const std::vector<std::int64_t>& shape,
                          const std::vector<std::int64_t>& stride,
                          std::string_view storage = "FloatStorage") {
    const auto sizes = [](const std::vector<std::int64_t>& values) {
        std::vector<std::string> items;
        for (const std::int64_t value : values) items.push_back(integer(value));
        return tuple(items);
    };
    return global("torch._utils", "_rebuild_tensor_v2") +
           tuple({tuple({text("storage"), global("torch", storage), text(key), text("cpu"),
                         integer(numel)}) +
                      "Q",
                  integer(offset), sizes(shape), sizes(stride), "\x89",
                  global("collections", "OrderedDict") + ")R"}) +
           "R";
}

/// A file as torch.save wrote it before 1.6: this pickle, and raw storages of floats by key.
inline std::string make_legacy(std::string_view pickle,
                               const std::vector<std::pair<std::string, std::string>>& storages) {
    std::string keys = "](", data;
    for (const auto& [key, bytes] : storages) {
        keys += text(key);
        data += little(bytes.size() / 4, 8) + bytes;
    }
    return cat({proto, "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", proto, "M\xe9\x03.",
                proto, "}", text("little_endian"), "\x88s.", pickle, proto, keys, "e.", data});
}

/// The mapping {name: value} as a complete pickle.
inline std::string state_dict(const std::vector<std::pair<std::string, std::string>>& items) {
    std::string out = proto + "}(";
    for (const auto& [name, value] : items) out += text(name) + value;
    return out + "u.";
}

}  // namespace vit::test
