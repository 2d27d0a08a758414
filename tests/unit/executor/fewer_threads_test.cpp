// OpenMP may start fewer threads than requested. Then nothing waits for a missing thread, and the
// results have the same bits.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "engine/executor/executor.h"
#include "engine/graph/build_vit.h"
#include "engine/graph/reference.h"
#include "engine/kernels/dispatch.h"
#include "tests/support/child.h"
#include "tests/support/models.h"

namespace vit {
namespace {

class FewerThreads : public testing::Test {
  protected:
    static constexpr std::int64_t count = 5;

    std::vector<float> logits(const Executor& executor) const {
        std::vector<float> out(static_cast<std::size_t>(count * config_.num_classes));
        executor.run({.count = count, .data = images_.data()}, {out.data(), nullptr, nullptr});
        return out;
    }
    Executor executor(int threads) const {
        return Executor(file_, config_.image_size, {kernels::select_table()}, threads);
    }

    ModelConfig config_ = test::small_config();
    test::TemporaryModel model_{config_};
    ModelFile file_ = ModelFile::open(model_.path());
    std::vector<float> images_ = test::random_images(config_, count);
    std::vector<float> expected_ = logits(executor(1));
};

// The suite also runs this with OMP_THREAD_LIMIT and OMP_DYNAMIC.
TEST_F(FewerThreads, GivesTheSameBits) {
    for (const int threads : {2, 3, 4, 8}) {
        const Executor all = executor(threads);
        EXPECT_EQ(logits(all), expected_) << threads;
        EXPECT_GT(all.profile({.count = count, .data = images_.data()}).wall, 0);
    }
}

TEST_F(FewerThreads, GivesTheSameBitsInsideOfARegion) {
    const Executor all = executor(3);
    std::vector<std::vector<float>> found(2);
    parallel(2, [&](int thread, int granted) {
        for (int i = thread; i < 2; i += granted) found[static_cast<std::size_t>(i)] = logits(all);
    });
    EXPECT_EQ(found[0], expected_);
    EXPECT_EQ(found[1], expected_);
}

TEST_F(FewerThreads, GivesTheSameBitsInsideAnotherModelsFill) {
    const Executor outer = executor(2), inner = executor(2);
    std::vector<float> out(expected_.size());
    std::atomic<int> same = 0;
    const std::size_t floats = images_.size() / count;
    const FillImage fill = [&](std::int64_t image, std::span<float> to) {
        same += logits(inner) == expected_;
        std::ranges::copy(
            std::span(images_).subspan(static_cast<std::size_t>(image) * floats, floats),
            to.begin());
        return true;
    };
    outer.run({.count = count, .fill = fill}, {out.data(), nullptr, nullptr});
    EXPECT_EQ(out, expected_);
    EXPECT_EQ(same, count);
}

TEST_F(FewerThreads, GivesTheSameBitsInAForkedChild) {
    const Executor all = executor(2);
    ASSERT_EQ(logits(all), expected_);
    EXPECT_EQ(test::status_of_child(60, [&] { return logits(all) == expected_; }), 0);
    EXPECT_EQ(logits(all), expected_);
}

TEST_F(FewerThreads, EvaluateTheSameReference) {
    const Graph graph = build_vit(config_, config_.image_size);
    const WeightMap weights(file_, config_.image_size);
    const std::span<const float> image(images_.data(), images_.size() / count);
    const std::vector<double> expected = evaluate(graph, weights, image).logits;
    std::vector<double> inside;
    parallel(2, [&](int thread, int) {
        if (thread == 0) inside = evaluate(graph, weights, image).logits;
    });
    EXPECT_EQ(inside, expected);
    for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_NEAR(expected[i], static_cast<double>(expected_[i]), 1e-4);
}

}  // namespace
}  // namespace vit
