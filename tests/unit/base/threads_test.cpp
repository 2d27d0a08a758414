#include "engine/base/threads.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "tests/support/child.h"

namespace vit {
namespace {

/// Runs a region whose threads wait for each other. Returns the number of threads, or 0 if a thread
/// had a wrong number.
int meet(int threads) {
    std::mutex mutex;
    std::set<int> numbers;
    std::atomic<int> arrived = 0;
    int team = 0;
    parallel(threads, [&](int thread, int granted) {
        ++arrived;
        while (arrived < granted) std::this_thread::yield();
        const std::lock_guard lock(mutex);
        team = granted;
        numbers.insert(thread);
    });
    const bool right = std::ssize(numbers) == team && *numbers.begin() == 0 &&
                       *numbers.rbegin() == team - 1 && team <= std::max(threads, 1);
    return right ? team : 0;
}

/// True if OMP_THREAD_LIMIT or OMP_DYNAMIC is set. The suite also runs this program with them.
bool is_limited() {
    return std::getenv("OMP_THREAD_LIMIT") != nullptr || std::getenv("OMP_DYNAMIC") != nullptr;
}

TEST(Parallel, RunsEveryThreadAtOnce) {
    for (const int threads : {0, 1, 2, 4, 3, 8}) {
        const int team = meet(threads);
        if (is_limited())
            EXPECT_GE(team, 1);
        else
            EXPECT_EQ(team, std::max(threads, 1));
    }
}

TEST(Parallel, HasOneThreadInsideOfARegion) {
    std::atomic<int> inner = 0, outer = 0;
    parallel(2, [&](int, int) {
        ++outer;
        inner += meet(2);
    });
    EXPECT_EQ(inner, outer);
    if (!is_limited()) {
        EXPECT_EQ(outer, 2);
    }
}

TEST(Parallel, RunsForManyCallersAtOnce) {
    std::vector<std::thread> callers;
    std::atomic<int> right = 0;
    for (int c = 0; c < 4; ++c)
        callers.emplace_back([&] {
            for (int i = 0; i < 20; ++i) right += meet(3) > 0;
        });
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(right, 80);
}

TEST(Parallel, RethrowsTheFirstException) {
    EXPECT_THROW(parallel(3,
                          [](int thread, int granted) {
                              if (thread == granted - 1) throw std::runtime_error("x");
                          }),
                 std::runtime_error);
    EXPECT_GE(meet(3), 1);
}

TEST(Parallel, WorksInAForkedChild) {
    ASSERT_GE(meet(4), 1);  // starts this thread's pool, which a child does not have
    EXPECT_EQ(test::status_of_child(20,
                                    [] {
                                        for (int i = 0; i < 3; ++i)
                                            if (meet(4) < 1) return false;
                                        return true;
                                    }),
              0);
    EXPECT_GE(meet(4), 1);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Without our check, GNU's OpenMP would end the process here.
TEST(Parallel, RunsOnFewerThreadsWhereNoneCanBeStarted) {
    EXPECT_EQ(test::status_of_child(20,
                                    [] {
                                        long pages = 0;
                                        std::ifstream("/proc/self/statm") >> pages;
                                        const auto bytes =
                                            static_cast<rlim_t>(pages) *
                                            static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
                                        const rlimit limit{bytes + (4 << 20), bytes + (4 << 20)};
                                        if (::setrlimit(RLIMIT_AS, &limit) != 0) return false;
                                        // A stack takes 8 MiB, more than the limit leaves. A few
                                        // stacks of earlier threads may be used again.
                                        const int team = meet(64);
                                        return team >= 1 && team < 64;
                                    }),
              0);
}
#endif

}  // namespace
}  // namespace vit
