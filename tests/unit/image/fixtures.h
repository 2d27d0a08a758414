// Reads tests/data/image (made by tools/fixtures/images.py).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "vit/image.h"

namespace vit::test {

struct Array {
    std::vector<std::int64_t> shape;
    std::vector<std::byte> bytes;
};
using Arrays = std::map<std::string, Array>;

inline std::filesystem::path data_file(const std::string& name) {
    return std::filesystem::path(VIT_TEST_DATA) / "image" / name;
}

inline Arrays read_arrays(const std::string& name) {
    std::ifstream file(data_file(name), std::ios::binary);
    const std::string all((std::istreambuf_iterator<char>(file)), {});
    std::uint64_t length = 0;
    if (all.size() < 8) {
        throw std::runtime_error("no fixture " + name);
    }
    std::memcpy(&length, all.data(), 8);
    const auto header = nlohmann::json::parse(all.substr(8, length));
    Arrays arrays;
    for (const auto& [key, entry] : header.items()) {
        if (key == "__metadata__") {
            continue;
        }
        const std::size_t begin = entry["data_offsets"][0];
        const std::size_t end = entry["data_offsets"][1];
        const auto* data = reinterpret_cast<const std::byte*>(all.data() + 8 + length);
        arrays[key] = {entry["shape"], {data + begin, data + end}};
    }
    return arrays;
}

/// The arrays of decode.safetensors: file/NAME, decoded/NAME, upright/NAME.
inline const Arrays& decode_fixtures() {
    static const Arrays arrays = read_arrays("decode.safetensors");
    return arrays;
}

inline std::span<const std::byte> image_file(const std::string& name) {
    return decode_fixtures().at("file/" + name).bytes;
}

/// The name of a test whose parameter is a file name.
inline std::string test_name(const testing::TestParamInfo<std::string>& test) {
    std::string name = test.param;
    std::replace(name.begin(), name.end(), '.', '_');
    return name;
}

/// The picture that images.py computes with the same formula.
inline Image pattern(std::int64_t height, std::int64_t width) {
    Image image{height, width, {}};
    image.rgb.reserve(static_cast<std::size_t>(height * width * 3));
    for (std::uint32_t y = 0; y < height; ++y) {
        for (std::uint32_t x = 0; x < width; ++x) {
            for (std::uint32_t c = 0; c < 3; ++c) {
                std::uint32_t h = (y * 73856093U) ^ (x * 19349663U) ^ (c * 83492791U);
                h ^= h >> 13;
                h *= 0x5bd1e995U;
                h ^= h >> 15;
                const std::uint32_t noise = h & 255;
                const std::uint32_t kind = (x / 16 + y / 16) % 3;
                const std::uint32_t value = kind == 0     ? (x * 3 + y * 2 + c * 40) & 255
                                            : kind == 1   ? noise
                                            : noise < 128 ? 0U
                                                          : 255U;
                image.rgb.push_back(static_cast<std::uint8_t>(value));
            }
        }
    }
    return image;
}

/// The CRC-32 of zlib.
inline std::uint32_t crc32(std::span<const std::byte> bytes) {
    static const auto table = [] {
        std::array<std::uint32_t, 256> t{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            t[i] = i;
            for (int bit = 0; bit < 8; ++bit) {
                t[i] = (t[i] & 1) != 0 ? 0xedb88320U ^ t[i] >> 1 : t[i] >> 1;
            }
        }
        return t;
    }();
    std::uint32_t crc = ~0U;
    for (const std::byte b : bytes) {
        crc = table[(crc ^ static_cast<std::uint32_t>(b)) & 255] ^ crc >> 8;
    }
    return ~crc;
}

}  // namespace vit::test
