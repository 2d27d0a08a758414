#include "engine/ops/patches.h"

#include <gtest/gtest.h>

#include <vector>

namespace vit {
namespace {

TEST(GatherPatches, OrdersChannelRowColumnAndPadsWithZeros) {
    const PatchGeometry g{2, 4, 6, 2, 3};  // 2 × 2 patches
    std::vector<float> image(2 * 4 * 6);
    for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>(i);
    std::vector<float> out(2 * 16, -1.0f);
    gather_patches(image.data(), g, 1, 2, out.data(), 16);
    const std::vector<float> expected{3,  4,  5,  9,  10, 11, 27, 28, 29, 33, 34, 35, 0, 0, 0, 0,
                                      12, 13, 14, 18, 19, 20, 36, 37, 38, 42, 43, 44, 0, 0, 0, 0};
    EXPECT_EQ(out, expected);
}

}  // namespace
}  // namespace vit
