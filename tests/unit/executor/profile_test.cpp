#include <gtest/gtest.h>

#include "engine/executor/executor.h"
#include "engine/kernels/dispatch.h"
#include "tests/support/models.h"

namespace vit {
namespace {

const kernels::Table& fastest() {
    return kernels::select_table();
}

TEST(Profile, HasEveryNode) {
    const ModelConfig config = test::small_config();
    const test::TemporaryModel model(config);
    const ModelFile file = ModelFile::open(model.path());
    const Executor executor(file, config.image_size, {fastest()}, 2);
    const std::vector<float> images = test::random_images(config, 3);
    double sum = 0;
    for (const NodeTime& time : executor.profile({.count = 3, .data = images.data()}).nodes) {
        EXPECT_GT(time.seconds, 0) << time.name;
        EXPECT_GT(time.bytes, 0) << time.name;
        sum += time.flop;
    }
    EXPECT_NEAR(sum, 3 * flop(executor.optimised({})), 1);
}

TEST(Profile, StartsAgainWithEveryRun) {
    const ModelConfig config = test::small_config();
    const test::TemporaryModel model(config);
    const ModelFile file = ModelFile::open(model.path());
    const Executor executor(file, config.image_size, {fastest()}, 2);
    const std::vector<float> image = test::random_images(config, 1);
    const auto in_nodes = [](const RunProfile& run) {
        double sum = 0;
        for (const NodeTime& node : run.nodes) sum += node.seconds;
        return sum;
    };
    for (int i = 0; i < 5; ++i) {
        // If times of earlier runs were included, the sum would be larger than this run's thread
        // time.
        const RunProfile run = executor.profile({.count = 1, .data = image.data()});
        EXPECT_GT(run.wall, 0);
        EXPECT_GE(run.waiting, 0);
        EXPECT_LE(in_nodes(run) + run.waiting, 2 * run.wall * (1 + 1e-9));
    }
}

}  // namespace
}  // namespace vit
