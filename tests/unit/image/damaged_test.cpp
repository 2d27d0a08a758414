// Damaged files must be decoded to the same pixels as by Pillow, and refused if Pillow refuses them
// (tests/data/image/damaged.json, made by tools/fixtures/damaged_images.py).
#include <gtest/gtest.h>

#include <cstdio>
#include <sstream>
// must come after <cstdio>
#include <fmt/format.h>
#include <jpeglib.h>

#include "fixtures.h"
#include "vit/error.h"

namespace vit {
namespace {

using Bytes = std::vector<std::byte>;

const nlohmann::json& golden() {
    static const nlohmann::json value = [] {
        std::ifstream file(test::data_file("damaged.json"));
        return nlohmann::json::parse(file);
    }();
    return value;
}

Bytes fuzz_file(const std::string& name) {
    std::ifstream file(std::filesystem::path(VIT_TEST_DATA) / "fuzz/image" / name,
                       std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

/// Returns "-" if the file is refused, otherwise the CRC-32 of the pixels.
std::string outcome(const Bytes& bytes) {
    try {
        const Image image = decode_image(bytes, "x");
        return fmt::format("{:x}", test::crc32(std::as_bytes(std::span(image.rgb))));
    } catch (const Error&) {
        return "-";
    }
}

std::vector<std::string> words(const std::string& text) {
    std::istringstream stream(text);
    return {std::istream_iterator<std::string>(stream), {}};
}

class LikePillow : public testing::TestWithParam<std::string> {};

/// libjpeg-turbo 2.1 decodes one of these files, and 3.2 refuses it. Pillow 13.0.0 uses 3.2. This
/// decoder also refuses the file when it is linked with 3.2.
bool differs_by_version(const std::string& name, const std::string& damage, std::size_t at) {
    return LIBJPEG_TURBO_VERSION_NUMBER < 3000000 && name == "size_2x3.jpg" && damage == "turned" &&
           at == 642;
}

TEST_P(LikePillow, EveryByteTurnedOverOrLeftOut) {
    const Bytes whole = fuzz_file(GetParam());
    std::size_t decoded = 0, refused = 0;
    for (const std::string damage : {"turned", "left out"}) {
        const auto expected = words(golden()["files"][GetParam()][damage]);
        ASSERT_EQ(expected.size(), whole.size());
        for (std::size_t i = 0; i < whole.size(); ++i) {
            if (differs_by_version(GetParam(), damage, i)) continue;
            Bytes bytes = whole;
            if (damage == "turned") {
                bytes[i] ^= std::byte{0xff};
            } else {
                bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(i));
            }
            if (bytes.size() < 3 || i < 3) continue;  // no longer of its format
            EXPECT_EQ(outcome(bytes), expected[i]) << damage << " " << i;
            ++(expected[i] == "-" ? refused : decoded);
        }
    }
    EXPECT_GT(decoded, 10U);
    EXPECT_GT(refused, 10U);
}

INSTANTIATE_TEST_SUITE_P(Files, LikePillow,
                         testing::Values("size_2x3.jpg", "restarts.jpg", "cmyk.jpg",
                                         "interlaced_3x5.png", "palette_4_trns.png", "grey_16.png",
                                         "rgb_gamma.png", "animated.png"),
                         test::test_name);

// libjpeg-turbo decodes lossless JPEG since version 3.0. Pillow's version is newer.
TEST(LosslessJpeg, IsDecodedOrRefusedAsUnsupported) {
    const std::string hex = golden()["lossless"];
    Bytes bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        bytes.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    }
    if (LIBJPEG_TURBO_VERSION_NUMBER >= 3000000) {
        EXPECT_EQ(outcome(bytes), golden()["lossless pixels"]);
        return;
    }
    try {
        decode_image(bytes, "x.jpg");
        ADD_FAILURE() << "expected an error";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::unsupported);
        EXPECT_NE(std::string(error.what()).find("lossless"), std::string::npos) << error.what();
        EXPECT_EQ(std::string(error.what()).find("damaged"), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace vit
