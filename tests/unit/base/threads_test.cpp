#include "engine/base/threads.h"

#include <gtest/gtest.h>

#include <atomic>

namespace vit {
namespace {

TEST(Parallel, RunsEveryThreadAtOnce) {
    for (const int threads : {1, 2, 4}) {
        Barrier barrier(threads);
        std::atomic<int> entered = 0;
        parallel(threads, [&](int) {
            ++entered;
            barrier.wait();
        });
        EXPECT_EQ(entered, threads);
    }
}

}  // namespace
}  // namespace vit
