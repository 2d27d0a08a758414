// Images and tensors that the caller provides: views, transforms, batches.
#include <gmock/gmock.h>

#include <cmath>

#include "tests/support/files.h"
#include "tests/support/models.h"
#include "vit/model.h"

namespace vit {
namespace {

using testing::HasSubstr;

/// An image of the caller. Its samples differ, so that a wrong order is noticed.
Image picture(std::int64_t height, std::int64_t width, int seed = 1) {
    Image image{height, width, {}};
    image.rgb.resize(static_cast<std::size_t>(height * width * 3));
    for (std::size_t i = 0; i < image.rgb.size(); ++i)
        image.rgb[i] = static_cast<std::uint8_t>((i * 37 + i / 97 * 11) *
                                                 static_cast<std::size_t>(seed) % 251);
    return image;
}

class CallersImages : public testing::Test {
  protected:
    test::TemporaryModel file_{test::small_config()};
    Model model_ = Model::load(file_.path(), {.threads = 2});
    std::vector<Image> images_{picture(40, 50), picture(90, 60, 2), picture(33, 49, 3)};

    std::vector<float> tensors(const Transform& transform) const {
        const std::size_t floats = static_cast<std::size_t>(3 * transform.height * transform.width);
        std::vector<float> out(images_.size() * floats);
        for (std::size_t i = 0; i < images_.size(); ++i)
            preprocess(images_[i], transform, std::span(out).subspan(i * floats, floats));
        return out;
    }
};

void expect_same(const std::vector<Prediction>& a, const std::vector<Prediction>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_EQ(a[i].index, b[i].index);
        EXPECT_EQ(a[i].logit, b[i].logit);
    }
}

TEST_F(CallersImages, MayBeViewsInAnyOrderOfSamples) {
    const Image& image = images_[0];
    std::vector<std::uint8_t> bgr(static_cast<std::size_t>(image.height * 200), 99);
    for (std::int64_t y = 0; y < image.height; ++y)
        for (std::int64_t x = 0; x < image.width; ++x)
            for (std::int64_t c = 0; c < 3; ++c)
                bgr[static_cast<std::size_t>(y * 200 + x * 3 + 2 - c)] =
                    image.rgb[static_cast<std::size_t>((y * image.width + x) * 3 + c)];
    const ImageView view{bgr.data(), image.height, image.width, 200, PixelFormat::bgr};
    expect_same(model_.classify(view), model_.classify(image));
    EXPECT_EQ(model_.embed(view), model_.embed(image));
    const std::vector<ImageView> views{view, images_[1], images_[2]};
    EXPECT_EQ(model_.embed(views), model_.embed(images_));
    for (std::size_t i = 0; i < 3; ++i)
        expect_same(model_.classify(views, 3)[i], model_.classify(images_, 3)[i]);
}

TEST_F(CallersImages, MayBePreprocessedAlready) {
    const auto predictions = model_.classify(tensors(model_.info().transform), 3, 4);
    for (std::size_t i = 0; i < 3; ++i) expect_same(predictions[i], model_.classify(images_[i], 4));
    EXPECT_THAT(
        test::message_of([&] { model_.classify(std::vector<float>(5), 3); }, ErrorKind::usage),
        HasSubstr("images: expected"));
}

TEST_F(CallersImages, MayHaveATransformOfTheirOwn) {
    Transform own = model_.info().transform;
    own.crop = Crop::squash;
    own.mean = {0.1f, 0.2f, 0.3f};
    const std::vector<float> prepared = tensors(own);
    const auto expected = model_.classify(prepared, 3, 2);
    const auto found = model_.classify(images_, 2, own);
    for (std::size_t i = 0; i < 3; ++i) expect_same(found[i], expected[i]);
    std::vector<float> features(3 * 40);
    model_.run(prepared, 3, {{}, features, {}});
    EXPECT_EQ(model_.embed(images_, {.transform = own}), features);
    EXPECT_NE(model_.embed(images_), features);
    own.height = 64;
    EXPECT_THAT(test::message_of([&] { model_.classify(images_, 2, own); }, ErrorKind::usage),
                HasSubstr("transform: expected the model's size 32x48, found 64x48"));
}

TEST_F(CallersImages, GiveVectorsOfLengthOneWhereAsked) {
    const std::vector<float> plain = model_.embed(images_),
                             normal = model_.embed(images_, {.normalize = true});
    ASSERT_EQ(normal.size(), 3u * 40u);
    for (std::size_t i = 0; i < 3; ++i) {
        double length = 0, cosine = 0, other = 0;
        for (std::size_t j = i * 40; j < (i + 1) * 40; ++j) {
            length += std::pow(static_cast<double>(normal[j]), 2);
            other += std::pow(static_cast<double>(plain[j]), 2);
            cosine += static_cast<double>(normal[j]) * static_cast<double>(plain[j]);
        }
        EXPECT_NEAR(length, 1, 1e-6);
        EXPECT_NEAR(cosine / std::sqrt(other), 1, 1e-6);
    }
    EXPECT_TRUE(model_.embed(std::span<const Image>{}).empty());
}

TEST_F(CallersImages, AreDescribedByTheModel) {
    const ModelInfo& info = model_.info();
    EXPECT_EQ(info.patch_height, 8);
    EXPECT_EQ(info.patch_width, 8);
    EXPECT_EQ(info.grid_rows, 4);
    EXPECT_EQ(info.grid_columns, 6);
    EXPECT_EQ(info.prefix_tokens, 1);
    EXPECT_EQ(info.prefix_tokens + info.grid_rows * info.grid_columns, info.tokens);
}

TEST_F(CallersImages, MayBeRunAfterMemoryWasGivenBack) {
    const std::vector<float> before = model_.embed(images_);
    model_.trim();
    EXPECT_EQ(model_.embed(images_), before);
}

/// An exception that is neither the library's nor derived from std::exception.
struct Cancelled {};

TEST_F(CallersImages, PassOnWhatTheCallersFunctionsThrow) {
    std::vector<float> logits(30);
    const auto run = [&](const FillImage& fill, const ImageDone& done) {
        model_.run_each(3, {logits, {}, {}}, fill, done);
    };
    const FillImage right = [](std::int64_t, std::span<float>) { return true; };
    EXPECT_THROW(run([](std::int64_t, std::span<float>) -> bool { throw Cancelled(); }, {}),
                 Cancelled);
    EXPECT_THROW(run([](std::int64_t, std::span<float>) -> bool { throw std::bad_alloc(); }, {}),
                 std::bad_alloc);
    EXPECT_THROW(run(right, [](std::int64_t) { throw std::length_error("x"); }), std::length_error);
    EXPECT_NO_THROW(run(right, {}));
}

}  // namespace
}  // namespace vit
