// Principal components are those of scikit-learn (tools/fixtures/looking.py).
#include "tools/looking/patch_pca.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/files.h"
#include "tests/support/npz_arrays.h"
#include "vit/error.h"

namespace vit::looking {
namespace {

class PatchPca : public testing::Test {
  protected:
    std::span<const float> tokens(std::size_t first, std::size_t count) {
        return std::span(arrays_["tokens"]).subspan(7 * first, 7 * count);
    }
    std::map<std::string, std::vector<float>> arrays_ =
        test::npz_arrays(std::filesystem::path(VIT_TEST_DATA) / "looking.npz");
};

TEST_F(PatchPca, IsScikitLearnsUpToTheSign) {
    TokenStatistics statistics(7);
    for (const std::size_t first : {0, 30, 60}) statistics.add(tokens(first, 30));
    const PcaBasis basis = statistics.basis();
    EXPECT_EQ(statistics.count(), 90);
    for (std::size_t i = 0; i < 7; ++i) EXPECT_NEAR(basis.mean[i], arrays_["pca_mean"][i], 1e-5);
    for (std::size_t c = 0; c < 3; ++c) {
        EXPECT_NEAR(basis.deviations[c], arrays_["pca_deviations"][c], 1e-5 * basis.deviations[c]);
        const float* const expected = arrays_["pca_components"].data() + 7 * c;
        const double sign = basis.directions[c][0] * expected[0] > 0 ? 1 : -1;
        std::size_t largest = 0;
        for (std::size_t i = 0; i < 7; ++i) {
            EXPECT_NEAR(basis.directions[c][i], sign * expected[i], 1e-5) << c << " " << i;
            if (std::abs(basis.directions[c][i]) > std::abs(basis.directions[c][largest]))
                largest = i;
        }
        EXPECT_GT(basis.directions[c][largest], 0);
        for (std::size_t t = 0; t < 90; ++t)
            EXPECT_NEAR(basis.project(tokens(t, 1))[c], sign * arrays_["pca_projected"][3 * t + c],
                        1e-4);
    }
}

TEST_F(PatchPca, DoesNotDependOnHowTokensAreAdded) {
    TokenStatistics together(7), apart(7);
    together.add(tokens(0, 90));
    for (std::size_t t = 0; t < 90; ++t) apart.add(tokens(t, 1));
    const PcaBasis a = together.basis(), b = apart.basis();
    for (std::size_t c = 0; c < 3; ++c)
        for (std::size_t i = 0; i < 7; ++i)
            EXPECT_NEAR(a.directions[c][i], b.directions[c][i], 1e-9);
}

TEST_F(PatchPca, ColoursAreTheMeanPlusOrMinusTwoDeviations) {
    PcaBasis basis;
    basis.mean = {1, 2, 3};
    basis.directions = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    basis.deviations = {1, 2, 0};
    const std::vector<float> given{1, 2, 3, /**/ 3, 0, 9, /**/ -5, 4, 3, /**/ 2, 2, 3};
    const Image image = colours_of(basis, given, 2, 2);
    EXPECT_EQ(image.height, 2);
    EXPECT_EQ(image.width, 2);
    EXPECT_EQ(image.rgb,
              (std::vector<std::uint8_t>{128, 128, 128, 255, 64, 128, 0, 191, 128, 191, 128, 128}));
}

TEST_F(PatchPca, WorksForFewDirectionsAndRefusesOneToken) {
    TokenStatistics two(2);
    two.add(std::vector<float>{1, 1, 3, 3});
    const PcaBasis basis = two.basis();
    EXPECT_NEAR(basis.deviations[0], 2, 1e-6);
    EXPECT_NEAR(basis.deviations[1], 0, 1e-6);
    EXPECT_EQ(basis.directions[2], (std::vector<double>{0, 0}));

    TokenStatistics one(7);
    one.add(tokens(0, 1));
    (void)test::message_of([&] { (void)one.basis(); }, ErrorKind::input);
}

}  // namespace
}  // namespace vit::looking
