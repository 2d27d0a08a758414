// Tests how much memory an executor keeps between calls.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "engine/executor/executor.h"
#include "engine/kernels/dispatch.h"
#include "tests/support/models.h"

namespace vit {
namespace {

class KeptMemory : public testing::Test {
  protected:
    void run(const Executor& executor, std::int64_t count) {
        executor.run({.count = count, .fill = filler()}, {logits_.data(), nullptr, nullptr});
    }

    FillImage filler() const {
        return [this](std::int64_t, std::span<float> to) {
            std::ranges::copy(image_, to.begin());
            return true;
        };
    }

    ModelConfig config_ = test::small_config();
    test::TemporaryModel model_{config_};
    ModelFile file_ = ModelFile::open(model_.path());
    std::vector<float> image_ = test::random_images(config_, 1);
    std::vector<float> logits_ = std::vector<float>(200 * 10);
};

TEST_F(KeptMemory, IsBoundedForEveryBatchSize) {
    constexpr int threads = 16;
    const Executor executor(file_, config_.image_size, {kernels::select_table()}, threads);
    // The most that one call may need: a stack and a single image for each thread, and gangs.
    run(executor, threads);
    const std::size_t alone = executor.idle_bytes();
    std::size_t most = 0;
    for (std::int64_t count = 1; count <= 60; ++count) {
        run(executor, count);
        most = std::max(most, executor.idle_bytes());
    }
    // There are 16 contexts of one thread, and twice as many gangs. Each has scratch memory for its
    // threads.
    EXPECT_LT(most, 8 * alone);
    EXPECT_LT(most, std::size_t{64} << 20);
    executor.trim();
    EXPECT_EQ(executor.idle_bytes(), 0u);
    run(executor, 3);
    EXPECT_GT(executor.idle_bytes(), 0u);
}

TEST_F(KeptMemory, CanBeGivenBackWhileOthersRun) {
    const Executor executor(file_, config_.image_size, {kernels::select_table()}, 2);
    std::vector<std::thread> callers;
    std::vector<std::vector<float>> found(3);
    for (auto& logits : found)
        callers.emplace_back([&] {
            for (std::int64_t i = 0; i < 20; ++i) {
                logits.assign(50, 0);
                executor.run({.count = 1 + i % 5, .fill = filler()},
                             {logits.data(), nullptr, nullptr});
                executor.trim();
            }
        });
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(found[0], found[1]);
    EXPECT_EQ(found[0], found[2]);
    executor.trim();
    EXPECT_EQ(executor.idle_bytes(), 0u);
}

}  // namespace
}  // namespace vit
