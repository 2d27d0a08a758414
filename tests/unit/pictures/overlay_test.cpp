// Colours and enlarged grids are those of matplotlib, Pillow and PyTorch
// (tools/fixtures/looking.py).
#include "tools/pictures/overlay.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/npz_arrays.h"
#include "tools/pictures/colours.h"

namespace vit::pictures {
namespace {

const std::filesystem::path data = std::filesystem::path(VIT_TEST_DATA) / "looking.npz";

TEST(Inferno, IsMatplotlibs) {
    const std::vector<float> expected = test::npz_arrays(data)["inferno"];
    ASSERT_EQ(expected.size(), 63u);
    for (std::size_t i = 0; i < 21; ++i)
        for (std::size_t c = 0; c < 3; ++c)
            // matplotlib takes the nearest of 256 colours, which are up to 4 apart.
            EXPECT_NEAR(inferno(static_cast<float>(i) / 20)[c], expected[3 * i + c], 5);
}

TEST(Inferno, ClampsWhatIsOutside) {
    EXPECT_EQ(inferno(-3), inferno(0));
    EXPECT_EQ(inferno(7), inferno(1));
    EXPECT_EQ(inferno(std::numeric_limits<float>::quiet_NaN()), inferno(0));
    EXPECT_NE(inferno(0), inferno(1));
}

TEST(Grey, IsPillows) {
    // Image.new("RGB", (1, 1), colour).convert("L") of Pillow 13.0.0
    EXPECT_EQ(grey({10, 200, 30}), 124);
    EXPECT_EQ(grey({255, 0, 0}), 76);
    EXPECT_EQ(grey({0, 0, 255}), 29);
    EXPECT_EQ(grey({255, 255, 255}), 255);
}

TEST(Enlarge, IsPyTorchsInterpolate) {
    auto arrays = test::npz_arrays(data);
    const Grid grid{3, 4, arrays["grid"]};
    for (const auto& [name, rows, columns] :
         {std::tuple<const char*, std::int64_t, std::int64_t>("enlarged", 7, 10),
          {"larger", 12, 20}}) {
        const Grid found = enlarge(grid, rows, columns);
        ASSERT_EQ(found.values.size(), arrays[name].size());
        for (std::size_t i = 0; i < found.values.size(); ++i)
            EXPECT_NEAR(found.values[i], arrays[name][i], 1e-5) << name << " " << i;
    }
    EXPECT_EQ(enlarge(grid, 3, 4).values, grid.values);
}

TEST(Quantile, CountsValues) {
    const Grid grid{1, 5, {3, 1, 5, 2, 4}};
    EXPECT_EQ(quantile(grid, 0), 1);
    EXPECT_EQ(quantile(grid, 0.5), 3);
    EXPECT_EQ(quantile(grid, 1), 5);
    EXPECT_EQ(quantile({}, 0.5), 0);
}

Image flat(std::int64_t height, std::int64_t width, std::uint8_t value) {
    return {height, width,
            std::vector<std::uint8_t>(static_cast<std::size_t>(3 * height * width), value)};
}

Colour pixel(const Image& image, std::int64_t y, std::int64_t x) {
    const std::uint8_t* const at = image.rgb.data() + 3 * (y * image.width + x);
    return {at[0], at[1], at[2]};
}

TEST(Overlay, ColoursThePatchesAndNotTheRest) {
    // Two patches of 8 pixels; two more pixels at the right and below are not covered.
    const Image image = flat(10, 18, 100);
    const Image heat = heat_over(image, {1, 2, {0, 1}}, {8, 16});
    const Colour cold = pixel(heat, 4, 0), hot = pixel(heat, 4, 15), outside = pixel(heat, 4, 17);
    EXPECT_GT(hot[0], cold[0] + 80);
    EXPECT_EQ(outside, cold);
    EXPECT_EQ(pixel(heat, 9, 15), cold);

    const Image signs = signs_over(flat(9, 21, 100), {1, 3, {-1, 0, 1}}, {9, 21});
    const Colour lower = pixel(signs, 4, 3), none = pixel(signs, 4, 10),
                 higher = pixel(signs, 4, 17);
    EXPECT_GT(lower[2], lower[0] + 80);
    EXPECT_GT(higher[0], higher[2] + 80);
    EXPECT_EQ(none, (Colour{85, 85, 85}));
}

TEST(Enlargement, IsTheSmallestWholeFactor) {
    EXPECT_EQ(enlargement(10, 32, 448), 14);
    EXPECT_EQ(enlargement(518, 518, 448), 1);
    EXPECT_EQ(enlargement(300, 10, 448), 2);
}

TEST(Resized, HasTheNewSize) {
    const Image image = resized({1, 2, {0, 0, 0, 200, 200, 200}}, 3, 4);
    EXPECT_EQ(image.height, 3);
    EXPECT_EQ(image.width, 4);
    EXPECT_EQ(pixel(image, 0, 1), (Colour{50, 50, 50}));
    EXPECT_EQ(pixel(image, 2, 2), (Colour{150, 150, 150}));
}

}  // namespace
}  // namespace vit::pictures
