#include "vit/reports.h"

#include <gmock/gmock.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "engine/base/random.h"
#include "engine/model/model_writer.h"
#include "tests/support/models.h"

namespace vit {
namespace {

using testing::HasSubstr;

template <class F>
void expect_error(ErrorKind kind, const std::string& text, F f) {
    try {
        f();
        FAIL() << "no error, expected: " << text;
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), kind) << e.what();
        EXPECT_THAT(e.what(), HasSubstr(text));
        EXPECT_THAT(e.what(), testing::Not(HasSubstr("\n")));
    }
}

class ModelTest : public testing::Test {
  protected:
    ModelConfig config_ = test::small_config();
    test::TemporaryModel file_{config_};
    Model model_ = Model::load(file_.path(), {.threads = 2});
    std::vector<float> images_ = test::random_images(config_, 3);
};

TEST_F(ModelTest, DescribesItself) {
    const ModelInfo& info = model_.info();
    EXPECT_EQ(info.architecture, "test");
    EXPECT_EQ(info.height, 32);
    EXPECT_EQ(info.width, 48);
    EXPECT_EQ(info.tokens, 25);
    EXPECT_EQ(info.embed_dim, 40);
    EXPECT_EQ(info.features, 40);
    EXPECT_EQ(info.classes, 10);
    EXPECT_EQ(info.threads, 2);
    EXPECT_GT(info.parameters, 40 * 40 * 4 * 3);
    EXPECT_TRUE(info.labels.empty());
}

TEST_F(ModelTest, TellsTheWorkThatLogitsTake) {
    const ModelInfo& info = model_.info();
    EXPECT_LT(info.gflop_executed_per_image, info.gflop_per_image);
    double done = 0;
    for (const NodeProfile& node : profile(model_, images_, 3).nodes) done += node.gflop;
    EXPECT_NEAR(done / 3, info.gflop_executed_per_image, 1e-6 * done);

    ModelConfig config = config_;
    config.class_token = false;
    config.pooling = Pooling::avg;  // averages all rows, so the last block computes all of them
    const test::TemporaryModel average(config);
    const Model all = Model::load(average.path());
    EXPECT_EQ(all.info().gflop_executed_per_image, all.info().gflop_per_image);
}

TEST_F(ModelTest, RunsWithoutAnyOutput) {
    EXPECT_NO_THROW(model_.run(images_, 3, {}));
}

TEST_F(ModelTest, RunsNoImages) {
    EXPECT_NO_THROW(model_.run({}, 0, {}));
}

TEST_F(ModelTest, RefusesSizesThatDisagree) {
    std::vector<float> logits(30);
    expect_error(ErrorKind::usage, "images: expected 9216 floats, found 13824", [&] {
        model_.run(images_, 2, {logits, {}, {}});
    });
    expect_error(ErrorKind::usage, "logits: expected 20 floats, found 30", [&] {
        model_.run(std::span(images_).first(9216), 2, {logits, {}, {}});
    });
    expect_error(ErrorKind::usage, "negative", [&] { model_.run({}, -1, {}); });
    expect_error(ErrorKind::usage, "logits: expected 10", [&] { (void)model_.top(logits, 1); });
}

class RunEach : public ModelTest {
  protected:
    static constexpr std::int64_t most = 7;
    std::vector<float> all_ = test::random_images(config_, most);
    const std::size_t floats_ = all_.size() / most;

    bool fill(std::int64_t index, std::span<float> image) const {
        EXPECT_EQ(image.size(), floats_);
        std::copy_n(all_.begin() + index * static_cast<std::ptrdiff_t>(floats_), floats_,
                    image.begin());
        return true;
    }
    FillImage filler() const {
        return [this](std::int64_t i, std::span<float> image) { return fill(i, image); };
    }
};

TEST_F(RunEach, GivesWhatRunGivesForEveryThreadCountAndBatch) {
    for (int threads = 1; threads <= 4; ++threads) {
        const Model model = Model::load(file_.path(), {.threads = threads});
        for (std::int64_t count = 0; count <= most; ++count) {
            const auto n = static_cast<std::size_t>(count);
            std::vector<float> logits(n * 10), features(n * 40), tokens(n * 25 * 40);
            std::vector<float> same_logits = logits, same_features = features, same_tokens = tokens;
            model.run(std::span(all_).first(n * floats_), count, {logits, features, tokens});
            std::vector<std::atomic<int>> done(n);
            model.run_each(count, {same_logits, same_features, same_tokens}, filler(),
                           [&](std::int64_t i) { ++done[static_cast<std::size_t>(i)]; });
            EXPECT_EQ(same_logits, logits) << threads << " threads, " << count << " images";
            EXPECT_EQ(same_features, features);
            EXPECT_EQ(same_tokens, tokens);
            for (const std::atomic<int>& times : done) EXPECT_EQ(times, 1);
        }
    }
}

TEST_F(RunEach, LeavesOutWhatIsNotThere) {
    for (std::int64_t count = 1; count <= most; ++count)
        for (std::int64_t missing = 0; missing < count; ++missing) {
            const auto n = static_cast<std::size_t>(count), gap = static_cast<std::size_t>(missing);
            std::vector<float> expected(n * 10);
            model_.run(std::span(all_).first(n * floats_), count, {expected, {}, {}});
            std::fill_n(expected.begin() + missing * 10, 10, -1.0f);
            std::vector<float> logits(n * 10, -1.0f);
            std::vector<std::atomic<int>> done(n);
            model_.run_each(
                count, {logits, {}, {}},
                [&](std::int64_t i, std::span<float> image) {
                    return i != missing && fill(i, image);
                },
                [&](std::int64_t i) { ++done[static_cast<std::size_t>(i)]; });
            EXPECT_EQ(logits, expected) << count << " images without " << missing;
            for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(done[i], i == gap ? 0 : 1);
        }
}

TEST_F(RunEach, EndsWithWhatItsFunctionsThrow) {
    for (std::int64_t count = 1; count <= most; ++count)
        for (std::int64_t bad = 0; bad < count; ++bad) {
            std::vector<float> logits(static_cast<std::size_t>(count) * 10), again = logits;
            const auto throw_at = [&](std::int64_t i) {
                if (i == bad) throw Error(ErrorKind::io, "no image");
            };
            expect_error(ErrorKind::io, "no image", [&] {
                model_.run_each(count, {logits, {}, {}},
                                [&](std::int64_t i, std::span<float> image) {
                                    throw_at(i);
                                    return fill(i, image);
                                });
            });
            expect_error(ErrorKind::io, "no image", [&] {
                model_.run_each(count, {logits, {}, {}}, filler(), throw_at);
            });
            model_.run_each(count, {logits, {}, {}}, filler());
            model_.run(std::span(all_).first(static_cast<std::size_t>(count) * floats_), count,
                       {again, {}, {}});
            EXPECT_EQ(logits, again) << "after an error at " << bad << " of " << count;
        }
}

TEST_F(RunEach, AsksInOrderAndForNoMoreAfterAnError) {
    const Model one = Model::load(file_.path(), {.threads = 1});
    std::vector<float> logits(most * 10);
    std::vector<std::int64_t> asked;
    expect_error(ErrorKind::input, "enough", [&] {
        one.run_each(most, {logits, {}, {}}, [&](std::int64_t i, std::span<float> image) {
            asked.push_back(i);
            if (i == 3) throw Error(ErrorKind::input, "enough");
            return fill(i, image);
        });
    });
    EXPECT_THAT(asked, testing::ElementsAre(0, 1, 2, 3));
}

TEST_F(RunEach, RefusesSizesThatDisagree) {
    std::vector<float> logits(30);
    expect_error(ErrorKind::usage, "logits: expected 20 floats, found 30", [&] {
        model_.run_each(2, {logits, {}, {}}, filler());
    });
    expect_error(ErrorKind::usage, "negative", [&] { model_.run_each(-1, {}, filler()); });
}

TEST_F(ModelTest, RanksByLogitThenIndexWithNaNLast) {
    const std::vector<float> logits{1, 3, 3, std::nanf(""), 2, 0, 0, 0, 0, -1};
    const std::vector<Prediction> top = model_.top(logits, 4);
    ASSERT_EQ(top.size(), 4u);
    EXPECT_EQ(top[0].index, 1);
    EXPECT_EQ(top[1].index, 2);
    EXPECT_EQ(top[2].index, 4);
    EXPECT_EQ(top[3].index, 0);
    EXPECT_EQ(top[0].label, "1");
    EXPECT_EQ(model_.top(logits, 99).size(), 10u);
    EXPECT_EQ(model_.top(logits, 99).back().index, 3);
    EXPECT_TRUE(model_.top(logits, 0).empty());
}

TEST_F(ModelTest, TurnsLogitsIntoProbabilities) {
    std::vector<float> logits(10, -1000.0f);
    logits[4] = 1000;
    logits[7] = 1000;
    const std::vector<Prediction> top = model_.top(logits, 2);
    EXPECT_FLOAT_EQ(top[0].probability, 0.5f);
    EXPECT_FLOAT_EQ(top[1].probability, 0.5f);
}

TEST_F(ModelTest, ClassifiesABatchAsItClassifiesEachImage) {
    std::vector<Image> images;
    for (int i = 0; i < 19; ++i) {
        Image image{40 + i, 50, {}};
        image.rgb.resize(static_cast<std::size_t>(image.height * image.width * 3));
        for (std::size_t p = 0; p < image.rgb.size(); ++p)
            image.rgb[p] =
                static_cast<std::uint8_t>((p * 37 + static_cast<std::size_t>(i) * 11) % 251);
        images.push_back(image);
    }
    const auto batch = model_.classify(images, 3);
    ASSERT_EQ(batch.size(), images.size());
    for (std::size_t i = 0; i < images.size(); ++i) {
        const auto alone = model_.classify(images[i], 3);
        ASSERT_EQ(alone.size(), 3u);
        for (std::size_t j = 0; j < 3; ++j) {
            EXPECT_EQ(alone[j].index, batch[i][j].index);
            EXPECT_EQ(alone[j].logit, batch[i][j].logit);
        }
    }
    EXPECT_EQ(model_.embed(images[0]).size(), 40u);
}

TEST_F(ModelTest, PrintsItsGraph) {
    EXPECT_THAT(print_graph(model_, false), HasSubstr("select_rows"));
    EXPECT_THAT(print_graph(model_, false, true), HasSubstr("prepend_tokens"));
    EXPECT_THAT(print_graph(model_, true), HasSubstr("digraph"));
}

TEST_F(ModelTest, HasNoSelfTestUnlessTheFileHasOne) {
    EXPECT_FALSE(self_test(model_).present);
}

TEST(ModelLoad, TakesAnotherImageSize) {
    const ModelConfig config = test::small_config();
    const test::TemporaryModel file(config);
    const Model model = Model::load(file.path(), {.threads = 1, .height = 64, .width = 16});
    EXPECT_EQ(model.info().tokens, 17);
    EXPECT_EQ(model.info().transform.height, 64);
    EXPECT_EQ(model.info().transform.width, 16);
    // As in timm, an incomplete last patch is cut off.
    EXPECT_EQ(Model::load(file.path(), {.threads = 1, .height = 70, .width = 17}).info().tokens,
              17);
    expect_error(ErrorKind::usage, "at least one patch",
                 [&] { (void)Model::load(file.path(), {.height = 30, .width = 3}); });
    expect_error(ErrorKind::usage, "both height and width",
                 [&] { (void)Model::load(file.path(), {.height = 32}); });
}

TEST(ModelLoad, NamesTheFileWhereMemoryDoesNotSuffice) {
    const test::TemporaryModel file(test::small_config());
    expect_error(ErrorKind::memory, file.path().filename().string(),
                 [&] { (void)Model::load(file.path(), {.height = 8 << 20, .width = 8 << 20}); });
}

TEST(ModelLoad, RefusesWhatIsNoModel) {
    expect_error(ErrorKind::io, "nowhere.vit", [] { (void)Model::load("nowhere.vit"); });
    expect_error(ErrorKind::usage, "threads: expected 0 to 1024", [] {
        const test::TemporaryModel file(test::small_config());
        (void)Model::load(file.path(), {.threads = -1});
    });
    const auto path = std::filesystem::temp_directory_path() / "vit-test-no-model.vit";
    std::ofstream(path) << "this is no model file, but it is long enough for one";
    expect_error(ErrorKind::format, path.filename().string(), [&] { (void)Model::load(path); });
    std::filesystem::remove(path);
}

/// A model file whose self-test has this engine's own logits, changed by `error`.
std::filesystem::path with_self_test(const test::TemporaryModel& source, float error,
                                     double tolerance = 1e-5) {
    const ModelFile file = ModelFile::open(source.path());
    ModelHeader header = file.header();
    header.self_test = SelfTest{11, false, "a test", tolerance};
    std::vector<float> input(3 * 32 * 48), logits(10);
    self_test_input(11, input);
    Model::load(source.path()).run(input, 1, {logits, {}, {}});
    for (float& x : logits) x *= 1 + error;
    std::vector<TensorView> tensors = file.tensors();
    tensors.push_back({"self_test.logits", DType::f32, {1, 10}, std::as_bytes(std::span(logits))});
    std::filesystem::path path = source.path();
    path += ".with-self-test";
    write_model_file(path, header, tensors);
    return path;
}

TEST(SelfTest, PassesAndFails) {
    const test::TemporaryModel source(test::small_config());
    for (const float error : {0.0f, 1e-3f}) {
        const std::filesystem::path path = with_self_test(source, error);
        const SelfTestResult result = self_test(Model::load(path, {.threads = 2}));
        std::filesystem::remove(path);
        EXPECT_TRUE(result.present);
        EXPECT_EQ(result.made_by, "a test");
        EXPECT_EQ(result.passed, error == 0.0f);
        EXPECT_NEAR(result.relative_l2, error, 1e-5);
    }
}

TEST(SelfTest, DoesNotTrustTheFilesTolerance) {
    const test::TemporaryModel source(test::small_config());
    const std::filesystem::path path = with_self_test(source, 2e-4f, 1.0);
    const SelfTestResult result = self_test(Model::load(path, {.threads = 1}));
    EXPECT_FALSE(result.passed);
    EXPECT_EQ(result.tolerance, 1e-4);
    try {
        const LoadOptions bf16{.threads = 1, .precision = Precision::bf16};
        EXPECT_EQ(self_test(Model::load(path, bf16)).tolerance, 3e-2);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::unsupported) << error.what();
    }
    std::filesystem::remove(path);
}

}  // namespace
}  // namespace vit
