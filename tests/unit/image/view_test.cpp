// Views with other formats and strides give the same result as an Image with the same pixels.
#include "vit/image.h"

#include <gtest/gtest.h>

#include <limits>

#include "fixtures.h"
#include "vit/error.h"

namespace vit {
namespace {

constexpr std::uint8_t other = 0xA5;  // value of alpha and of the bytes between rows

struct Pixels {
    std::vector<std::uint8_t> bytes;
    ImageView view;
};

/// `image` in another format, with `gap` bytes after each row except the last.
Pixels laid_out(const Image& image, PixelFormat format, std::int64_t gap) {
    Pixels result;
    const auto pixels = static_cast<std::size_t>(image.height * image.width);
    for (std::size_t i = 0; i < pixels; ++i) {
        const std::uint8_t* const p = image.rgb.data() + 3 * i;
        switch (format) {
            case PixelFormat::rgb:
                result.bytes.insert(result.bytes.end(), {p[0], p[1], p[2]});
                break;
            case PixelFormat::bgr:
                result.bytes.insert(result.bytes.end(), {p[2], p[1], p[0]});
                break;
            case PixelFormat::rgba:
                result.bytes.insert(result.bytes.end(), {p[0], p[1], p[2], other});
                break;
            case PixelFormat::gray:
                result.bytes.push_back(p[0]);
                break;
        }
        const bool row_ends = (i + 1) % static_cast<std::size_t>(image.width) == 0;
        if (row_ends && i + 1 < pixels) {
            result.bytes.insert(result.bytes.end(), static_cast<std::size_t>(gap), other);
        }
    }
    const std::int64_t pixel = format == PixelFormat::gray   ? 1
                               : format == PixelFormat::rgba ? 4
                                                             : 3;
    result.bytes.shrink_to_fit();  // so that sanitizers notice any read beyond it
    result.view = {result.bytes.data(), image.height, image.width,
                   gap == 0 ? 0 : image.width * pixel + gap, format};
    return result;
}

Image grey_of(Image image) {
    for (std::size_t i = 0; i < image.rgb.size(); ++i) {
        image.rgb[i] = image.rgb[i - i % 3];
    }
    return image;
}

/// Target sizes that use every path through resize: only cropping, only columns or rows, both
/// orders.
std::vector<Transform> transforms() {
    std::vector<Transform> result;
    for (const auto& [height, width] :
         {std::pair{41, 30}, {41, 17}, {23, 30}, {20, 17}, {12, 28}, {60, 50}, {9, 9}}) {
        for (const Crop crop : {Crop::center, Crop::squash, Crop::border}) {
            for (const Filter filter : {Filter::nearest, Filter::bilinear, Filter::bicubic}) {
                for (const double crop_pct : {1.0, 0.8}) {
                    result.push_back({.height = height,
                                      .width = width,
                                      .crop_pct = crop_pct,
                                      .crop = crop,
                                      .filter = filter});
                }
            }
        }
    }
    return result;
}

TEST(View, EveryFormatAndStrideGivesWhatAnImageGives) {
    const Image colour = test::pattern(41, 30);
    const Image grey = grey_of(colour);
    for (const PixelFormat format :
         {PixelFormat::rgb, PixelFormat::bgr, PixelFormat::rgba, PixelFormat::gray}) {
        const Image& image = format == PixelFormat::gray ? grey : colour;
        for (const std::int64_t gap : {0, 1, 50}) {
            SCOPED_TRACE(testing::Message() << static_cast<int>(format) << " gap " << gap);
            const Pixels pixels = laid_out(image, format, gap);
            for (const Transform& transform : transforms()) {
                const Image expected = resize_and_crop(image, transform);
                const Image found = resize_and_crop(pixels.view, transform);
                ASSERT_EQ(found.height, expected.height);
                ASSERT_EQ(found.width, expected.width);
                ASSERT_EQ(found.rgb, expected.rgb);
            }
            const Transform transform{.height = 16, .width = 24};
            std::vector<float> expected(3 * 16 * 24), found(expected.size());
            preprocess(image, transform, expected);
            preprocess(pixels.view, transform, found);
            EXPECT_EQ(found, expected);
        }
    }
}

TEST(View, WhatMakesNoSenseIsRefused) {
    const std::vector<std::uint8_t> bytes(4 * 4 * 4);
    const Transform transform{.height = 4, .width = 4};
    std::vector<float> out(3 * 4 * 4);
    const auto refused = [&](const ImageView& view) {
        try {
            preprocess(view, transform, out);
        } catch (const Error& error) {
            return error.kind() == ErrorKind::usage &&
                   std::string(error.what()).rfind("image view: expected ", 0) == 0;
        }
        return false;
    };
    const std::uint8_t* const data = bytes.data();
    EXPECT_FALSE(refused({data, 4, 4}));
    EXPECT_FALSE(refused({data, 4, 4, 16, PixelFormat::rgba}));
    EXPECT_TRUE(refused({}));
    EXPECT_TRUE(refused({nullptr, 4, 4}));
    EXPECT_TRUE(refused({data, 0, 4}));
    EXPECT_TRUE(refused({data, 4, -1}));
    EXPECT_TRUE(refused({data, 4, std::int64_t{1} << 40}));
    EXPECT_TRUE(refused({data, 4, 4, 11}));
    EXPECT_TRUE(refused({data, 4, 4, 15, PixelFormat::rgba}));
    EXPECT_TRUE(refused({data, 4, 4, -12}));
    EXPECT_TRUE(refused({data, 4, 4, std::numeric_limits<std::int64_t>::max()}));
    EXPECT_TRUE(refused({data, 4, 4, 0, static_cast<PixelFormat>(9)}));
}

TEST(View, AnImageOfAnotherLengthHasNone) {
    Image image = test::pattern(4, 4);
    const ImageView view = image;
    EXPECT_EQ(view.data, image.rgb.data());
    EXPECT_EQ(view.stride, 12);
    image.rgb.pop_back();
    EXPECT_THROW((void)static_cast<ImageView>(image), Error);
}

}  // namespace
}  // namespace vit
