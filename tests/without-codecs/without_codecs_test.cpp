// Tests how a build without image codecs handles images.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "vit/error.h"
#include "vit/image.h"

namespace vit {
namespace {

template <typename Decode>
void expect_unsupported(Decode decode) {
    try {
        decode();
        ADD_FAILURE() << "expected an error";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::unsupported);
        EXPECT_EQ(
            std::string(error.what()).rfind("'x.jpg': this build of vit has no image codecs", 0),
            0U)
            << error.what();
    }
}

TEST(WithoutCodecs, DecodingSaysSo) {
    expect_unsupported([] { decode_image("x.jpg"); });
    expect_unsupported([] { decode_image(std::span<const std::byte>{}, "x.jpg"); });
}

TEST(WithoutCodecs, PixelsArePreprocessed) {
    const std::vector<std::uint8_t> grey(8 * 8, 255);
    std::vector<float> out(3 * 4 * 4);
    preprocess({grey.data(), 8, 8, 0, PixelFormat::gray},
               {.height = 4, .width = 4, .mean = {0.5f, 0.5f, 0.5f}, .std = {0.5f, 0.5f, 0.5f}},
               out);
    EXPECT_EQ(out, std::vector<float>(out.size(), 1.0f));
}

}  // namespace
}  // namespace vit
