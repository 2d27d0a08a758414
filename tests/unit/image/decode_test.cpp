// Decoding gives the same bytes as Pillow's Image.open(file).convert("RGB").
#include <gtest/gtest.h>

#include <cstdio>
// must come after <cstdio>
#include <jpeglib.h>

#include "engine/image/decode.h"
#include "engine/image/exif.h"
#include "fixtures.h"
#include "vit/error.h"

namespace vit {
namespace {

using test::Array;
using test::decode_fixtures;
using test::image_file;

std::vector<std::string> names_under(const std::string& prefix) {
    std::vector<std::string> names;
    for (const auto& [name, array] : decode_fixtures()) {
        if (name.rfind(prefix, 0) == 0) {
            names.push_back(name.substr(prefix.size()));
        }
    }
    return names;
}

/// The bytes must be equal, or differ by at most `tolerance`.
void expect_equal(const Image& image, const Array& expected, int tolerance = 0) {
    ASSERT_EQ(image.height, expected.shape.at(0));
    ASSERT_EQ(image.width, expected.shape.at(1));
    ASSERT_EQ(image.rgb.size(), expected.bytes.size());
    std::size_t different = 0;
    int largest = 0;
    for (std::size_t i = 0; i < image.rgb.size(); ++i) {
        const int difference = std::abs(image.rgb[i] - static_cast<int>(expected.bytes[i]));
        different += difference != 0 ? 1 : 0;
        largest = std::max(largest, difference);
    }
    EXPECT_LE(largest, tolerance) << different << " of " << image.rgb.size() << " bytes differ";
}

/// libjpeg-turbo 3.0.1 corrected the smoothing of progressive files that end before their
/// refinement scans and whose chroma is subsampled vertically. The goldens are from 3.2.0. All
/// other files are equal.
int tolerance_for(const std::string& name) {
    return LIBJPEG_TURBO_VERSION_NUMBER < 3000001 && name == "progressive_unfinished_420.jpg" ? 2
                                                                                              : 0;
}

class Decode : public testing::TestWithParam<std::string> {};

TEST_P(Decode, EqualsPillow) {
    std::string warning = "not emptied";
    expect_equal(decode_image(image_file(GetParam()), GetParam(), {}, &warning),
                 decode_fixtures().at("decoded/" + GetParam()), tolerance_for(GetParam()));
    EXPECT_EQ(warning, "");
}

INSTANTIATE_TEST_SUITE_P(Files, Decode, testing::ValuesIn(names_under("decoded/")),
                         test::test_name);

class Upright : public testing::TestWithParam<std::string> {};

TEST_P(Upright, EqualsPillowsExifTranspose) {
    expect_equal(decode_image(image_file(GetParam()), GetParam(), {.exif = true}),
                 decode_fixtures().at("upright/" + GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Files, Upright, testing::ValuesIn(names_under("upright/")),
                         test::test_name);

TEST(Exif, IsIgnoredUnlessAskedFor) {
    const Image plain = decode_image(image_file("orientation_6.jpg"), "x.jpg");
    const Image upright = decode_image(image_file("orientation_6.jpg"), "x.jpg", {.exif = true});
    EXPECT_EQ(plain.height, upright.width);
    EXPECT_EQ(plain.width, upright.height);
    EXPECT_NE(plain.height, plain.width);
}

TEST(Exif, DamagedMetadataMeansUpright) {
    const auto valid = image_file("orientation_6.jpg");
    EXPECT_EQ(image::exif_orientation(valid), 6);
    for (std::size_t length = 0; length < 200; ++length) {
        const int orientation = image::exif_orientation(valid.first(length));
        EXPECT_TRUE(orientation == 1 || orientation == 6) << length;
    }
    EXPECT_EQ(image::exif_orientation({}), 1);
}

TEST(DecodeFile, ReadsFromDisk) {
    const auto path = std::filesystem::path(testing::TempDir()) / "vit_decode_test.png";
    const auto bytes = image_file("rgb_8.png");
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    expect_equal(decode_image(path), decode_fixtures().at("decoded/rgb_8.png"));
    std::filesystem::remove(path);
}

}  // namespace
}  // namespace vit
