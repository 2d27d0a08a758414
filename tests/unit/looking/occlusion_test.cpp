#include "tools/looking/occlusion.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "engine/base/cosine.h"
#include "tests/support/models.h"

namespace vit::looking {
namespace {

/// Images of 32×48 with patches of 8×8: a grid of 4×6. All pixels are grey (0) except those of the
/// patch in row 1, column 2. So a square changes the image only if it covers that patch.
class Occlusion : public testing::Test {
  protected:
    explicit Occlusion(std::int64_t classes = 10) {
        config_.num_classes = classes;
        const std::vector<float> noise = test::random_images(config_, 1);
        for (std::size_t c = 0; c < 3; ++c)
            for (std::size_t y = 8; y < 16; ++y)
                for (std::size_t x = 16; x < 24; ++x) {
                    const std::size_t at = (c * 32 + y) * 48 + x;
                    image_[at] = 2 * noise[at];
                }
    }

    std::vector<float> results(const Model& model, const std::vector<float>& image) const {
        std::vector<float> found(static_cast<std::size_t>(model.info().classes));
        model.run(image, 1, {found, {}, {}});
        return found;
    }

    ModelConfig config_ = test::small_config();
    std::vector<float> image_ = std::vector<float>(3 * 32 * 48);
};

TEST_F(Occlusion, FindsTheOnlyPatchThatIsNotGrey) {
    const test::TemporaryModel file(config_);
    const Model model = Model::load(file.path(), {.threads = 2});
    const Prediction top = model.classify(image_, 1, 1)[0][0];
    const std::vector<float> grey(image_.size());
    const auto after = model.classify(grey, 1, 10)[0];
    double probability = 0;
    for (const Prediction& each : after)
        if (each.index == top.index) probability = each.probability;

    int calls = 0;
    const pictures::Grid map = occlusion(model, image_, {1, 1}, [&] { ++calls; });
    EXPECT_EQ(map.rows, 4);
    EXPECT_EQ(map.columns, 6);
    ASSERT_EQ(map.values.size(), 24u);
    for (std::size_t i = 0; i < 24; ++i)
        EXPECT_NEAR(map.values[i], i == 8 ? top.probability - probability : 0.0, 1e-5) << i;
    EXPECT_GT(std::abs(map.values[8]), 1e-3);
    EXPECT_GT(calls, 0);
}

TEST_F(Occlusion, IsTheMeanOverTheSquaresThatCoverAPatch) {
    const test::TemporaryModel file(config_);
    const Model model = Model::load(file.path(), {.threads = 1});
    const float alone = occlusion(model, image_, {1, 1}, [] {}).values[8];
    const pictures::Grid map = occlusion(model, image_, {2, 1}, [] {});
    // Row 0 of the grid, column 2: two squares cover it, and both cover row 1, column 2.
    EXPECT_NEAR(map.values[2], alone, 1e-5);
    EXPECT_NEAR(map.values[8], alone, 1e-5);
    // Row 1, column 3: of its four squares, two cover the patch.
    EXPECT_NEAR(map.values[9], alone / 2, 1e-5);
    EXPECT_EQ(map.values[23], 0);
}

class OcclusionWithoutClasses : public Occlusion {
  protected:
    OcclusionWithoutClasses() : Occlusion(0) {}
};

TEST_F(OcclusionWithoutClasses, ComparesFeatures) {
    const test::TemporaryModel file(config_);
    const Model model = Model::load(file.path(), {.threads = 2});
    ASSERT_FALSE(model.info().classifies);
    const double expected =
        1 - cosine(results(model, image_), results(model, std::vector<float>(image_.size())));
    const pictures::Grid map = occlusion(model, image_, {1, 1}, [] {});
    EXPECT_NEAR(map.values[8], expected, 1e-5);
    EXPECT_NEAR(map.values[0], 0, 1e-6);
}

TEST_F(Occlusion, EndsWhenTheCallerThrows) {
    const test::TemporaryModel file(config_);
    const Model model = Model::load(file.path(), {.threads = 2});
    EXPECT_THROW(occlusion(model, image_, {1, 1}, [] { throw std::runtime_error("interrupted"); }),
                 std::runtime_error);
}

TEST(OcclusionSquare, FollowsTheGrid) {
    ModelInfo info;
    for (const auto& [patches, side, step, places_expected] :
         {std::array<std::int64_t, 4>{14, 3, 1, 144},
          {16, 3, 1, 196},
          {37, 7, 2, 256},
          {4, 1, 1, 16},
          {1, 1, 1, 1}}) {
        info.grid_rows = info.grid_columns = patches;
        const OcclusionSquare square = usual_square(info);
        EXPECT_EQ(square.side, side) << patches;
        EXPECT_EQ(square.step, step) << patches;
        EXPECT_EQ(places(info, square), places_expected) << patches;
    }
    EXPECT_EQ(square_of(info, 100).side, 1);
}

}  // namespace
}  // namespace vit::looking
