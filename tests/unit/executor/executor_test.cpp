#include "engine/executor/executor.h"

#include <gmock/gmock.h>

#include <thread>

#include "engine/graph/build_vit.h"
#include "engine/graph/reference.h"
#include "tests/unit/executor/same_bits.h"

namespace vit {
namespace {

class ExecutorOf : public testing::TestWithParam<test::NamedConfig> {
  protected:
    const ModelConfig& config() const { return GetParam().config; }
    test::TemporaryModel model_{GetParam().config};
    ModelFile file_ = ModelFile::open(model_.path());
};

TEST_P(ExecutorOf, AgreesWithTheReference) {
    const std::vector<float> image = test::random_images(config(), 1);
    const ReferenceResult expected = evaluate(build_vit(config(), config().image_size),
                                              WeightMap(file_, config().image_size), image);
    for (const Mode& s : modes())
        for (int threads : {1, 3}) {
            SCOPED_TRACE(s.name + ", threads " + std::to_string(threads));
            const Executor executor(file_, config().image_size, s.kernels, threads, s.precision);
            const Batch result = run(executor, image, 1);
            EXPECT_LE(test::relative_l2(result.logits, expected.logits), s.tolerance);
            EXPECT_LE(test::relative_l2(result.features, expected.features), s.tolerance);
            EXPECT_LE(test::relative_l2(result.tokens, expected.tokens), s.tolerance);
        }
}

TEST_P(ExecutorOf, GivesTheSameBitsForEveryThreadCountAndBatch) {
    expect_same_bits(file_, config(), modes(), 5);
}

TEST_P(ExecutorOf, GivesTheSameBitsHoweverThreadsShare) {
    expect_same_bits(file_, config(), modes(),
                     {{1, 2}, {100, 129}, {9, 1}, {1, 40, 3}, {0, 1}, {5, 0, 5}, {1, 7, 7, 1, 16}});
}

TEST_P(ExecutorOf, GivesTheSameLogitsWhetherTokensAreAskedForOrNot) {
    const std::vector<float> images = test::random_images(config(), 2);
    for (const Mode& s : modes()) {
        const Executor executor(file_, config().image_size, s.kernels, 2, s.precision);
        const Batch all = run(executor, images, 2, true);
        EXPECT_EQ(run(executor, images, 2, false).logits, all.logits) << s.name;
        std::vector<float> logits(all.logits.size());
        executor.run({.count = 2, .data = images.data()}, {logits.data(), nullptr, nullptr});
        EXPECT_EQ(logits, all.logits) << s.name;
    }
}

INSTANTIATE_TEST_SUITE_P(Configs, ExecutorOf, testing::ValuesIn(test::small_configs()),
                         [](const auto& config) { return config.param.name; });

/// The model is wide enough that threads share the columns of a linear layer. The MLP's width is
/// not a multiple of the unit in which they share columns.
ModelConfig wide_config() {
    ModelConfig config = test::small_config();
    config.embed_dim = 320;
    config.heads = 5;
    config.head_dim = 64;
    config.mlp_dim = 1000;
    config.depth = 2;
    return config;
}

TEST(Executor, GivesTheSameBitsWhereThreadsShareColumns) {
    const ModelConfig config = wide_config();
    const test::TemporaryModel model(config);
    std::vector<Mode> best;  // oneDNN uses the best instruction set, so only that level is tested
    for (const Mode& mode : modes())
        if (mode.kernels.f32.isa == tables().back()->isa ||
            mode.name == test::plain_tile_kernels().back().name)
            best.push_back(mode);
    const ModelFile file = ModelFile::open(model.path());
    expect_same_bits(file, config, best, 17);
    expect_same_bits(
        file, config, best,
        {{1, 2}, {100, 129}, {30, 1}, {0, 1}, {1, 40, 3, 3}, {0, 0, 7, 9}, {1, 7, 7, 1}});
}

// oneDNN 2.6 needs more scratch memory for 684 patches than for 685.
TEST(Executor, PlansScratchForEveryThreadsShare) {
    ModelConfig config = test::small_config();
    config.image_size = {518, 518};
    config.patch_height = config.patch_width = 14;
    config.embed_dim = 384;
    config.depth = 1;
    const test::TemporaryModel model(config);
    const ModelFile file = ModelFile::open(model.path());
    const std::vector<float> image = test::random_images(config, 1);
    for (const Mode& mode : modes()) {
        if (mode.kernels.f32.isa != tables().back()->isa) continue;  // oneDNN uses the best
        const auto logits = [&](int threads) {
            const Executor executor(file, config.image_size, mode.kernels, threads, mode.precision);
            return run(executor, image, 1).logits;
        };
        const std::vector<float> expected = logits(1);
        for (int threads : {2, 3, 4}) EXPECT_EQ(logits(threads), expected) << mode.name;
    }
}

// If there are more prefix tokens than rows per thread, the first thread with patches may have only
// one.
TEST(Executor, PlansScratchForThreadsWithPrefixTokensOnly) {
    ModelConfig config = test::small_config();
    config.register_tokens = 8;
    const test::TemporaryModel model(config);
    expect_same_bits(ModelFile::open(model.path()), config, modes(), 16, 2);
}

TEST(Executor, RunsFromManyThreadsAtOnce) {
    const ModelConfig config = test::small_config();
    const test::TemporaryModel model(config);
    const ModelFile file = ModelFile::open(model.path());
    const Executor executor(file, config.image_size, {*tables().back()}, 2);
    const std::vector<float> images = test::random_images(config, 5);
    const Batch expected = run(executor, images, 5);
    std::vector<std::thread> callers;
    std::atomic<int> wrong = 0;
    for (int c = 0; c < 4; ++c)
        callers.emplace_back([&, c] {
            for (int i = 0; i < 20; ++i) {
                const bool tokens = (c + i) % 2 == 0;
                const Batch result = run(executor, images, 5, tokens);
                wrong += result.logits != expected.logits ||
                         (tokens && result.tokens != expected.tokens);
            }
        });
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(wrong, 0);
}

TEST(Executor, DoesNotLetOneImagesNaNReachAnother) {
    ModelConfig config = test::small_config();
    for (const std::int64_t head_dim : {33, 20}) {  // sizes that need padding everywhere
        config.head_dim = head_dim;
        const test::TemporaryModel model(config);
        const ModelFile file = ModelFile::open(model.path());
        const std::vector<float> image = test::random_images(config, 1);
        const std::vector<float> bad(image.size(), std::nanf(""));
        for (const Mode& mode : modes()) {
            const Executor executor(file, config.image_size, mode.kernels, 1, mode.precision);
            const Batch before = run(executor, image, 1);
            EXPECT_TRUE(std::isnan(run(executor, bad, 1).logits[0])) << mode.name;
            EXPECT_EQ(run(executor, image, 1), before) << mode.name;
        }
    }
}

TEST(Executor, ResizesThePositionTable) {
    const ModelConfig config = test::small_config();
    const test::TemporaryModel model(config);
    const ModelFile file = ModelFile::open(model.path());
    const ImageSize size{64, 40};
    ModelConfig resized = config;
    resized.image_size = size;
    const std::vector<float> image = test::random_images(resized, 1);
    const ReferenceResult expected =
        evaluate(build_vit(config, size), WeightMap(file, size), image);
    const Batch result = run(Executor(file, size, {*tables().back()}, 2), image, 1);
    EXPECT_LE(test::relative_l2(result.logits, expected.logits), 2e-6);
}

}  // namespace
}  // namespace vit
