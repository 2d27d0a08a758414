// The C API returns the same results as the C++ API, and throws no exception.
#include "vit/vit.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <cstring>

#include "tests/support/files.h"
#include "tests/support/models.h"
#include "vit/model.h"

namespace vit {
namespace {

using testing::HasSubstr;

class CApi : public testing::Test {
  protected:
    CApi() {
        vit_load_options options{};
        options.threads = 2;
        EXPECT_EQ(vit_model_load(file_.path().c_str(), &options, &model_, &error_), VIT_OK)
            << error_.message;
    }
    ~CApi() override { vit_model_free(model_); }

    test::TemporaryModel file_{test::small_config()};
    vit_error error_{};
    vit_model* model_ = nullptr;
    Model same_ = Model::load(file_.path(), {.threads = 2});
    Image image_{20, 30, std::vector<std::uint8_t>(20 * 30 * 3, 77)};
    vit_image_view view_{image_.rgb.data(), 20, 30, 0, VIT_RGB};
};

TEST_F(CApi, DescribesTheModel) {
    vit_model_info info{};
    ASSERT_EQ(vit_model_get_info(model_, &info, nullptr), VIT_OK);
    EXPECT_STREQ(info.architecture, "test");
    EXPECT_EQ(info.tokens, 25);
    EXPECT_EQ(info.grid_columns, 6);
    EXPECT_EQ(info.classes, 10);
    EXPECT_EQ(info.threads, 2);
    EXPECT_EQ(info.precision, VIT_F32);
    EXPECT_EQ(vit_model_label(model_, 0), nullptr);
    EXPECT_STREQ(vit_version(), VIT_VERSION_STRING);
    EXPECT_EQ("vit " + std::string(vit_version()), version());
    EXPECT_STREQ(vit_status_name(VIT_FORMAT), "format");
    EXPECT_STREQ(vit_status_name(99), "unknown");
    EXPECT_GE(vit_usable_threads(), 1);
}

TEST_F(CApi, RunsClassifiesAndEmbeds) {
    const std::vector<float> images = test::random_images(test::small_config(), 3);
    std::vector<float> logits(30), features(120), tokens(3 * 25 * 40), same(30);
    ASSERT_EQ(
        vit_run(model_, images.data(), 3, logits.data(), features.data(), tokens.data(), &error_),
        VIT_OK);
    same_.run(images, 3, {same, {}, {}});
    EXPECT_EQ(logits, same);
    std::vector<vit_prediction> predictions(12);
    ASSERT_EQ(vit_classify(model_, &view_, 1, 12, predictions.data(), &error_), VIT_OK);
    const std::vector<Prediction> expected = same_.classify(image_, 10);
    for (std::size_t i = 0; i < 10; ++i) {
        EXPECT_EQ(predictions[i].index, expected[i].index);
        EXPECT_EQ(predictions[i].logit, expected[i].logit);
    }
    EXPECT_EQ(predictions[10].index, -1);
    std::vector<float> embedded(40);
    ASSERT_EQ(vit_embed(model_, &view_, 1, 1, embedded.data(), &error_), VIT_OK);
    EXPECT_EQ(embedded, same_.embed(image_, {.normalize = true}));
    std::vector<float> prepared(3 * 32 * 48), prepared_same(prepared.size());
    ASSERT_EQ(vit_preprocess(model_, &view_, prepared.data(), &error_), VIT_OK);
    preprocess(image_, same_.info().transform, prepared_same);
    EXPECT_EQ(prepared, prepared_same);
    vit_model_trim(model_);
}

TEST_F(CApi, DecodesImages) {
    const std::string png = std::string(VIT_SOURCE_DIR) + "/tools/digits-model/samples/01_five.png";
    vit_image image{};
    ASSERT_EQ(vit_decode_file(png.c_str(), &image, &error_), VIT_OK) << error_.message;
    const Image same = decode_image(png);
    EXPECT_EQ(std::vector<std::uint8_t>(image.rgb, image.rgb + image.height * image.width * 3),
              same.rgb);
    EXPECT_EQ(vit_view_of(&image).data, image.rgb);
    vit_image_free(&image);
    EXPECT_EQ(image.rgb, nullptr);
    vit_image_free(&image);
    EXPECT_EQ(vit_decode_memory("x", 1, &image, &error_), VIT_INPUT);
    EXPECT_EQ(error_.status, VIT_INPUT);
}

TEST_F(CApi, TurnsErrorsIntoStatusAndText) {
    vit_model* none = model_;
    EXPECT_EQ(vit_model_load("/nowhere/x.vit", nullptr, &none, &error_), VIT_IO);
    EXPECT_EQ(none, nullptr);
    EXPECT_THAT(error_.message, HasSubstr("/nowhere/x.vit"));
    EXPECT_EQ(vit_model_load(nullptr, nullptr, &none, nullptr), VIT_USAGE);
    vit_load_options options{};
    options.precision = 7;
    EXPECT_EQ(vit_model_load(file_.path().c_str(), &options, &none, &error_), VIT_USAGE);
    options.precision = VIT_F32;
    options.threads = -1;
    EXPECT_EQ(vit_model_load(file_.path().c_str(), &options, &none, &error_), VIT_USAGE);
    view_.format = 9;
    std::vector<float> features(40);
    EXPECT_EQ(vit_embed(model_, &view_, 1, 0, features.data(), &error_), VIT_USAGE);
    EXPECT_EQ(vit_embed(model_, nullptr, 1, 0, features.data(), &error_), VIT_USAGE);
    EXPECT_EQ(vit_run(model_, features.data(), -1, nullptr, nullptr, nullptr, &error_), VIT_USAGE);
    EXPECT_EQ(
        vit_run(model_, features.data(), INT64_MAX / 2, features.data(), nullptr, nullptr, &error_),
        VIT_USAGE);
    const std::string long_path(5000, 'x');
    EXPECT_NE(vit_model_load(long_path.c_str(), nullptr, &none, &error_), VIT_OK);
    EXPECT_LT(std::strlen(error_.message), sizeof error_.message);
    vit_model_free(nullptr);
    vit_model_trim(nullptr);
}

}  // namespace
}  // namespace vit
