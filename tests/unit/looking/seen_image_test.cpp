#include "tools/looking/seen_image.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace vit::looking {
namespace {

TEST(SeenImage, HasThePixelsOfTheResizedAndCroppedImage) {
    const std::filesystem::path sample =
        std::filesystem::path(VIT_SOURCE_DIR) / "tools/digits-model/samples/03_eight.png";
    const Image image = decode_image(sample);
    Transform transform;
    transform.height = 30;
    transform.width = 50;
    std::vector<float> pixels(3 * 30 * 50);
    preprocess(image, transform, pixels);
    const Image seen = seen_image(pixels, 3, transform);
    EXPECT_EQ(seen.height, 30);
    EXPECT_EQ(seen.width, 50);
    EXPECT_EQ(seen.rgb, resize_and_crop(image, transform).rgb);
}

TEST(SeenImage, OfOtherChannelsIsTheirMean) {
    Transform transform;
    transform.height = 1;
    transform.width = 3;
    EXPECT_EQ(seen_image(std::vector<float>{-1, 0, 1}, 1, transform).rgb,
              (std::vector<std::uint8_t>{0, 0, 0, 128, 128, 128, 255, 255, 255}));
    EXPECT_EQ(seen_image(std::vector<float>{5, 5, 5, 1, 1, 1}, 2, transform).rgb,
              std::vector<std::uint8_t>(9, 0));
}

}  // namespace
}  // namespace vit::looking
