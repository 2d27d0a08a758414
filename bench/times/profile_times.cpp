// The times in a profile explain the whole run.
#include <gtest/gtest.h>

#include "bench/times/idle_load.h"
#include "engine/executor/executor.h"
#include "engine/kernels/dispatch.h"
#include "tests/support/models.h"

namespace vit {
namespace {

const kernels::Table& fastest() {
    return kernels::select_table();
}

/// An image takes some ten milliseconds, so that time between the nodes hardly matters.
class ProfileTimes : public testing::Test {
  protected:
    static ModelConfig middling_config() {
        ModelConfig config = test::small_config();
        config.image_size = {112, 112};
        config.embed_dim = 384;
        config.depth = 6;
        config.heads = 6;
        config.head_dim = 64;
        config.mlp_dim = 1536;
        return config;
    }
    RunProfile profile(int threads, std::int64_t count) const {
        const Executor executor(file_, config_.image_size, {fastest()}, threads);
        const std::vector<float> images = test::random_images(config_, count);
        (void)executor.profile({.count = count, .data = images.data()});  // touches every page
        return executor.profile({.count = count, .data = images.data()});
    }
    static double in_nodes(const RunProfile& profile) {
        double sum = 0;
        for (const NodeTime& node : profile.nodes) sum += node.seconds;
        return sum;
    }

    ModelConfig config_ = middling_config();
    test::TemporaryModel model_{config_};
    ModelFile file_ = ModelFile::open(model_.path());
};

TEST_F(ProfileTimes, OfOneThreadAddUpToTheRun) {
    for (const std::int64_t count : {1, 3}) {
        const RunProfile run = profile(1, count);
        EXPECT_GE(in_nodes(run), 0.97 * run.wall) << count << " images";
        EXPECT_LE(in_nodes(run) + run.waiting, run.wall) << count << " images";
    }
}

TEST_F(ProfileTimes, OfThreadsAddUpToTheRunOnceWaitingIsCounted) {
    for (const int threads : {2, 3})
        for (const std::int64_t count :
             {1, 2, 4}) {  // threads share an image; one image per thread; both
            const RunProfile run = profile(threads, count);
            const double accounted = in_nodes(run) + run.waiting;
            EXPECT_GE(accounted, 0.97 * threads * run.wall)
                << threads << " threads, " << count << " images";
            EXPECT_LE(accounted, threads * run.wall * (1 + 1e-9));
            EXPECT_GT(run.waiting, 0);
        }
}

TEST_F(ProfileTimes, StartAgainWithEveryRun) {
    const Executor executor(file_, config_.image_size, {fastest()}, 2);
    const std::vector<float> image = test::random_images(config_, 1);
    for (int i = 0; i < 5; ++i) (void)executor.profile({.count = 1, .data = image.data()});
    const RunProfile run = executor.profile({.count = 1, .data = image.data()});
    EXPECT_LE(in_nodes(run) + run.waiting, 2 * run.wall * (1 + 1e-9));
}

// Idle threads do not keep a core busy after a profile.
TEST_F(ProfileTimes, AreFollowedByRest) {
    const Executor executor(file_, config_.image_size, {fastest()}, 2);
    const std::vector<float> images = test::random_images(config_, 3);
    (void)executor.profile({.count = 3, .data = images.data()});
    EXPECT_LT(bench::idle_load(), 0.1);
}

}  // namespace
}  // namespace vit
