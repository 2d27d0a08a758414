// Equal bits for random shapes: 1 to 1370 rows, and widths that fill no vector and no tile.
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/executor/same_bits.h"

namespace vit {
namespace {

/// A model with about `rows` tokens.
ModelConfig random_config(std::mt19937& random, std::int64_t rows) {
    const auto up_to = [&](std::int64_t n) {
        return 1 + static_cast<std::int64_t>(random() % static_cast<unsigned long>(n));
    };
    ModelConfig c = test::small_config();
    c.patch_height = 2;
    c.patch_width = 2 + up_to(2);
    const std::int64_t height =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(std::sqrt(rows)));
    c.image_size = {2 * height, c.patch_width * std::max<std::int64_t>(1, (rows - 1) / height)};
    c.class_token = rows > 1;
    c.pooling = c.class_token && random() % 2 == 0 ? Pooling::token : Pooling::avg;
    c.depth = 1;
    c.heads = up_to(4);
    c.head_dim = 2 * up_to(40);
    c.embed_dim = 1 + up_to(150);
    c.mlp_dim = 1 + up_to(1000);
    c.activation = random() % 2 == 0 ? Activation::gelu : Activation::silu;
    return c;
}

TEST(Shapes, GiveTheSameBitsForEveryThreadCountAndBatch) {
    std::mt19937 random(11);
    for (const std::int64_t rows : {1, 2, 7, 17, 33, 50, 99, 197, 257, 500, 1370}) {
        const ModelConfig config = random_config(random, rows);
        SCOPED_TRACE(std::to_string(rows) + " rows, " + std::to_string(config.heads) +
                     " heads of " + std::to_string(config.head_dim) + ", widths " +
                     std::to_string(config.embed_dim) + " and " + std::to_string(config.mlp_dim));
        const test::TemporaryModel model(config);
        const ModelFile file = ModelFile::open(model.path());
        const std::vector<float> images = test::random_images(config, 4);
        for (const Mode& mode : modes()) {
            if (mode.kernels.f32.isa != tables().back()->isa && mode.precision == DType::f32)
                continue;  // oneDNN uses the best
            SCOPED_TRACE(mode.name);
            const auto results = [&](int threads, std::int64_t count) {
                const Executor executor(file, config.image_size, mode.kernels, threads,
                                        mode.precision);
                return run(executor, images, count);
            };
            const Batch alone = results(1, 1);
            for (const int threads : {2, 3, 5, 17})
                EXPECT_EQ(results(threads, 1), alone) << threads;
            const Batch four = results(1, 4);
            EXPECT_TRUE(std::equal(alone.tokens.begin(), alone.tokens.end(), four.tokens.begin()));
            for (const int threads : {2, 3}) EXPECT_EQ(results(threads, 4), four) << threads;
        }
    }
}

}  // namespace
}  // namespace vit
