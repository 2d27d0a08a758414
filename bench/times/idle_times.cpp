// Threads that have nothing to do leave the cores to others.
#include "engine/base/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "bench/times/idle_load.h"

namespace vit {
namespace {

constexpr double little = 0.1;  // share of one core

// Threads that wait for the next parallel region may spin for a moment, but not for long.
TEST(Parallel, LeavesTheCoresAloneBetweenRegions) {
    for (const int threads : {2, 4}) {
        Barrier barrier(threads);
        std::atomic<int> entered = 0;
        parallel(threads, [&](int, int) {
            ++entered;
            barrier.wait();
        });
        EXPECT_EQ(entered, threads);
        EXPECT_LT(bench::idle_load(), little) << threads << " threads";
    }
}

TEST(Parallel, LeavesTheCoresAloneBetweenRegionsOfManyCallers) {
    std::atomic<bool> done = false;
    std::atomic<int> ready = 0;
    std::vector<std::thread> callers;
    for (int c = 0; c < 3; ++c)
        callers.emplace_back([&] {
            parallel(2, [](int, int) {});
            ++ready;
            done.wait(false);
        });
    while (ready < 3) std::this_thread::yield();
    const double load = bench::idle_load();
    done = true;
    done.notify_all();
    for (std::thread& caller : callers) caller.join();
    EXPECT_LT(load, little);
}

// A thread that waits at a barrier for a working thread sleeps and frees its core.
TEST(Barrier, SleepsWhereTheWaitIsLong) {
    Barrier barrier(2);
    double load = 1;
    parallel(2, [&](int thread, int) {
        if (thread == 0) load = bench::idle_load();
        barrier.wait();
    });
    EXPECT_LT(load, little);
}

}  // namespace
}  // namespace vit
