#include "tools/pictures/png.h"

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "tests/support/files.h"
#include "vit/error.h"

namespace vit::pictures {
namespace {

Image noise(std::int64_t height, std::int64_t width) {
    std::vector<float> values(static_cast<std::size_t>(3 * height * width));
    self_test_input(5, values);
    Image image{height, width, {}};
    for (const float x : values)
        image.rgb.push_back(static_cast<std::uint8_t>(static_cast<int>(x * 60) & 255));
    return image;
}

TEST(Png, IsDecodedToTheSamePixels) {
    const test::Folder folder;
    for (const auto& [height, width] :
         {std::pair<std::int64_t, std::int64_t>(1, 1), {3, 7}, {90, 61}}) {
        const Image image = noise(height, width);
        write_png(folder / "picture.png", image);
        const Image found = decode_image(folder / "picture.png");
        EXPECT_EQ(found.height, height);
        EXPECT_EQ(found.width, width);
        EXPECT_EQ(found.rgb, image.rgb);
    }
    EXPECT_EQ(folder.names().size(), 1u);
}

TEST(Png, ThatCannotBeWrittenIsAnError) {
    const test::Folder folder;
    (void)test::message_of([&] { write_png(folder / "none" / "picture.png", noise(2, 2)); },
                           ErrorKind::io);
    Image image = noise(2, 2);
    image.rgb.pop_back();
    (void)test::message_of([&] { write_png(folder / "picture.png", image); }, ErrorKind::usage);
    (void)test::message_of([&] { (void)encode_png({0, 4, {}}); }, ErrorKind::usage);
    EXPECT_TRUE(folder.names().empty());
}

}  // namespace
}  // namespace vit::pictures
