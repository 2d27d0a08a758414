// Any bytes must give an image or an Error. Nothing may crash, hang, or allocate the size that a
// header claims.
#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "fixtures.h"
#include "vit/error.h"

namespace vit {
namespace {

using test::image_file;
using Bytes = std::vector<std::byte>;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

Bytes copy_of(const std::string& name) {
    const auto bytes = image_file(name);
    return {bytes.begin(), bytes.end()};
}

/// The error's message. Fails the test if there is no error, or if it has another kind.
std::string message_of(std::span<const std::byte> bytes, const DecodeOptions& options = {},
                       ErrorKind kind = ErrorKind::input) {
    try {
        decode_image(bytes, "some.image", options);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), kind) << error.what();
        const std::string message = error.what();
        EXPECT_EQ(message.rfind("'some.image': ", 0), 0U) << message;
        EXPECT_EQ(message.find('\n'), std::string::npos) << message;
        return message;
    }
    ADD_FAILURE() << "expected an error";
    return {};
}

/// Decodes the bytes. An Error is allowed; an image must have the number of bytes that its size
/// requires.
void decode_anything(std::span<const std::byte> bytes) {
    try {
        const Image image = decode_image(bytes, "x", {.exif = true, .max_pixels = 1 << 20});
        EXPECT_GT(image.height, 0);
        EXPECT_GT(image.width, 0);
        EXPECT_EQ(image.rgb.size(), static_cast<std::size_t>(image.height * image.width * 3));
    } catch (const Error&) {
    }
}

void put(Bytes& bytes, std::size_t at, std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        bytes.at(at + i) = static_cast<std::byte>(text[i]);
    }
}

std::size_t find(const Bytes& bytes, std::string_view text, std::size_t from = 0) {
    const auto found =
        std::search(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end(), text.begin(),
                    text.end(), [](std::byte a, char b) { return a == static_cast<std::byte>(b); });
    EXPECT_NE(found, bytes.end());
    return static_cast<std::size_t>(found - bytes.begin());
}

using namespace std::string_view_literals;

class Damaged : public testing::TestWithParam<std::string> {};

// This is as in Pillow, whose decoders stop when they have all rows.
TEST_P(Damaged, EveryTruncationIsAnErrorOrCostsNoPixel) {
    const auto whole = image_file(GetParam());
    const Image image = decode_image(whole, "whole");
    std::size_t refused = 0;
    for (std::size_t length = 0; length < whole.size(); ++length) {
        SCOPED_TRACE(length);
        // The copy has exactly this length, so that sanitizers notice any read beyond it.
        const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
        std::string warning;
        try {
            EXPECT_EQ(decode_image(part, "part", {}, &warning).rgb, image.rgb);
            // The decoder does not read further frames, so damage in them gives no warning.
            EXPECT_TRUE(warning.starts_with("'part': decoded in spite of damage: ") ||
                        GetParam() == "animated.png")
                << warning;
        } catch (const Error&) {
            message_of(part);
            EXPECT_EQ(refused, length) << "a shorter file was decoded";
            ++refused;
        }
    }
    EXPECT_GT(refused, whole.size() / 2);
}

TEST_P(Damaged, EveryByteChangedFourWays) {
    const Bytes whole = copy_of(GetParam());
    for (std::size_t i = 0; i < whole.size(); ++i) {
        const auto value = static_cast<unsigned>(whole[i]);
        for (const unsigned other : {value ^ 1U, value ^ 0x80U, value ^ 0xffU, value + 1U}) {
            Bytes changed = whole;
            changed[i] = static_cast<std::byte>(other);
            decode_anything(changed);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Files, Damaged,
                         testing::Values("size_33x3.jpg", "grey_progressive.jpg", "cmyk.jpg",
                                         "restarts.jpg", "orientation_6.jpg", "grey_8.png",
                                         "palette_4_trns.png", "rgb_gamma.png", "animated.png",
                                         "grey_1_interlaced.png", "orientation_6.png", "lossy.webp",
                                         "lossless.webp", "lossy_alpha.webp", "animated.webp",
                                         "orientation_6.webp"),
                         test::test_name);

TEST(Malformed, NotAnImage) {
    EXPECT_NE(message_of({}).find("empty file"), std::string::npos);
    EXPECT_NE(message_of(bytes_of("some text")).find("bytes 73 6f 6d 65 20 74 65 78;"),
              std::string::npos);
    Bytes bytes = copy_of("lossy.webp");
    put(bytes, 8, "WAVE");
    message_of(bytes);
    const auto html = [](std::string_view text) {
        return message_of(bytes_of(text)).find("found an HTML page;") != std::string::npos;
    };
    EXPECT_TRUE(html("<!DOCTYPE html>\n<html>"));
    EXPECT_TRUE(html("\xef\xbb\xbf\r\n  <HTML lang=en>"));
    EXPECT_FALSE(html("<svg>"));
}

TEST(Malformed, OtherFormatsAreNamed) {
    const auto expect_named = [](std::string_view start, const std::string& name) {
        const std::string message = message_of(bytes_of(start), {}, ErrorKind::unsupported);
        EXPECT_NE(message.find("found " + name + " image; convert it"), std::string::npos)
            << message;
    };
    expect_named("GIF87a and more", "a GIF");
    expect_named("GIF89a and more", "a GIF");
    expect_named("BM and more", "a BMP");
    expect_named("II*\0 and more"sv, "a TIFF");
    expect_named("MM\0* and more"sv, "a TIFF");
    expect_named(
        "\0\0\0\x1c"
        "ftypavif and more"sv,
        "an AVIF");
    expect_named(
        "\0\0\0\x1c"
        "ftypheic and more"sv,
        "a HEIC");
}

TEST(Malformed, FilesThatCannotBeRead) {
    const auto kind_of = [](const std::filesystem::path& path) {
        try {
            decode_image(path);
        } catch (const Error& error) {
            EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
            return error.kind();
        }
        ADD_FAILURE() << "expected an error";
        return ErrorKind::internal;
    };
    EXPECT_EQ(kind_of(testing::TempDir()), ErrorKind::io);
    EXPECT_EQ(kind_of("no/such\nfile.png"), ErrorKind::io);
    EXPECT_EQ(kind_of(""), ErrorKind::io);
    EXPECT_EQ(kind_of("/dev/zero"), ErrorKind::io);
    EXPECT_EQ(kind_of(test::data_file("transforms.json")), ErrorKind::input);
}

TEST(Malformed, PixelLimit) {
    for (const char* name : {"rgb_420.jpg", "rgb_8.png", "lossy.webp", "animated_offset.webp"}) {
        const Image image = decode_image(image_file(name), name);
        const auto pixels = static_cast<std::uint64_t>(image.height * image.width);
        EXPECT_NO_THROW(decode_image(image_file(name), name, {.max_pixels = pixels})) << name;
        EXPECT_NE(message_of(image_file(name), {.max_pixels = pixels - 1}).find("too large"),
                  std::string::npos);
    }
}

TEST(Malformed, HugeDeclaredSizes) {
    Bytes jpeg = copy_of("rgb_420.jpg");
    const std::size_t frame = find(jpeg, "\xff\xc0"sv) + 5;
    put(jpeg, frame, "\xff\xdc\xff\xdc"sv);  // libjpeg's own limit
    EXPECT_NE(message_of(jpeg).find("too large"), std::string::npos);
    put(jpeg, frame, "\x23\x28\x23\x28"sv);  // 9000 x 9000 is allowed, but needs more bytes
    EXPECT_NE(message_of(jpeg).find("too short"), std::string::npos);
    Bytes progressive = copy_of("progressive_420.jpg");
    put(progressive, find(progressive, "\xff\xc2"sv) + 5, "\x23\x28\x23\x28"sv);
    EXPECT_NE(message_of(progressive).find("too short"), std::string::npos);

    Bytes webp = copy_of("animated.webp");
    put(webp, 24, "\xff\xff\xff\xff\xff\xff"sv);
    message_of(webp);
}

// PNG headers have a checksum, so each of these is a complete file in the form of images.py: IHDR,
// one IDAT, IEND.
Bytes png_of_size(std::uint32_t width, std::uint32_t height) {
    Bytes bytes = copy_of("rgb_8.png");
    for (int i = 0; i < 4; ++i) {
        bytes[static_cast<std::size_t>(16 + i)] = static_cast<std::byte>(width >> (24 - 8 * i));
        bytes[static_cast<std::size_t>(20 + i)] = static_cast<std::byte>(height >> (24 - 8 * i));
    }
    const std::uint32_t crc = test::crc32(std::span(bytes).subspan(12, 17));
    for (int i = 0; i < 4; ++i) {
        bytes[static_cast<std::size_t>(29 + i)] = static_cast<std::byte>(crc >> (24 - 8 * i));
    }
    return bytes;
}

TEST(Malformed, HugePngs) {
    EXPECT_NE(message_of(png_of_size(0x7fffffff, 0x7fffffff)).find("too large"), std::string::npos);
    EXPECT_NE(message_of(png_of_size(65'536, 1)).find("too large"), std::string::npos);
    EXPECT_NE(message_of(png_of_size(1, 65'536)).find("too large"), std::string::npos);
    EXPECT_NE(message_of(png_of_size(9000, 9000)).find("too short"), std::string::npos);
    message_of(png_of_size(0, 9));
    message_of(png_of_size(0x80000000, 9));

    // The header claims one row more than the data has. That row becomes black, as in Pillow.
    std::string warning;
    const Image longer = decode_image(png_of_size(27, 22), "longer", {}, &warning);
    const Image image = decode_image(image_file("rgb_8.png"), "x");
    EXPECT_TRUE(std::equal(image.rgb.begin(), image.rgb.end(), longer.rgb.begin()));
    EXPECT_EQ(std::count(longer.rgb.end() - 27 * 3, longer.rgb.end(), 0), 27 * 3);
    EXPECT_NE(warning.find("the pixels end early"), std::string::npos) << warning;
}

/// progressive_420.jpg with one of its scans repeated `count` times.
Bytes with_more_scans(int count) {
    const Bytes jpeg = copy_of("progressive_420.jpg");
    const std::size_t first = find(jpeg, "\xff\xda"sv);
    const std::size_t second = find(jpeg, "\xff\xc4"sv, first);  // the tables of the next scan
    const auto at = [&](std::size_t i) { return jpeg.begin() + static_cast<std::ptrdiff_t>(i); };
    Bytes bytes(at(0), at(second));
    for (int i = 0; i < count; ++i) {
        bytes.insert(bytes.end(), at(first), at(second));
    }
    bytes.insert(bytes.end(), at(second), jpeg.end());
    return bytes;
}

TEST(Malformed, ScanLimit) {
    EXPECT_NO_THROW(decode_image(with_more_scans(80), "x"));
    EXPECT_NE(message_of(with_more_scans(100)).find("100 scans"), std::string::npos);
    EXPECT_NE(message_of(with_more_scans(2000)).find("100 scans"), std::string::npos);
}

}  // namespace
}  // namespace vit
