#include "engine/base/threads.h"

#include <omp.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "engine/base/cgroup.h"

#if defined(__SANITIZE_THREAD__)
#define VIT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define VIT_TSAN 1
#endif
#endif
#ifdef VIT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace vit {

inline namespace internal {

namespace {

// ThreadSanitizer does not see how the OpenMP runtime orders memory at the start and end of a
// region, because the runtime is not instrumented. These functions describe that order to it. In
// other builds they do nothing.
void happens_before([[maybe_unused]] void* tag) {
#ifdef VIT_TSAN
    __tsan_release(tag);
#endif
}
void happens_after([[maybe_unused]] void* tag) {
#ifdef VIT_TSAN
    __tsan_acquire(tag);
#endif
}

/// While it exists, OpenMP code that this thread calls (oneDNN's) uses one thread.
class TeamOfOne {
  public:
    TeamOfOne() : before_(omp_get_max_threads()) {
        if (before_ != 1) omp_set_num_threads(1);
    }
    ~TeamOfOne() {
        if (before_ != 1) omp_set_num_threads(before_);
    }
    TeamOfOne(const TeamOfOne&) = delete;
    TeamOfOne& operator=(const TeamOfOne&) = delete;

  private:
    int before_;
};

/// Threads that wait for the next region should not keep their cores busy for long. GNU's runtime
/// spins for a few milliseconds, LLVM's for 200 without this call. The setting applies to the
/// calling thread.
void spin_briefly() {
#ifdef KMP_VERSION_MAJOR
    kmp_set_blocktime(3);  // ms
#endif
}

/// The text of a small file; empty where it cannot be read.
std::string text_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// The smallest quota of this process's control groups, in CPUs; infinity where there is none.
double cgroup_quota() {
    const std::string root = "/sys/fs/cgroup";
    double quota = HUGE_VAL;
    for (const CpuGroup& group : cpu_groups(text_of("/proc/self/cgroup"))) {
        const std::string folder = root + group.folder;
        quota = std::min(quota, group.version_2
                                    ? cpus_of_max(text_of(folder + "/cpu.max"))
                                    : cpus_of_quota(text_of(folder + "/cpu.cfs_quota_us"),
                                                    text_of(folder + "/cpu.cfs_period_us")));
    }
    return quota;
}

/// The calling thread's pool of OpenMP threads: its process and its number of threads.
struct Pool {
    pid_t process = 0;
    int threads = 1;
};
thread_local Pool pool;

/// How many threads can run, at most `threads`. GNU's OpenMP ends the process where it cannot start
/// a thread. So where the pool has to grow, this function first tries to start the threads.
int startable_threads(int threads) {
    if (threads <= pool.threads) return threads;
    std::atomic<bool> end = false;
    std::vector<std::thread> tried;
    try {
        while (pool.threads + static_cast<int>(tried.size()) < threads)
            tried.emplace_back([&] { end.wait(false); });
    } catch (const std::exception&) {
        // The threads that started are counted below.
    }
    const int found = pool.threads + static_cast<int>(tried.size());
    end = true;
    end.notify_all();
    for (std::thread& thread : tried) thread.join();
    return found;
}

/// Runs one parallel region on this thread's pool.
void run_region(int threads, FunctionRef<void(int, int)> body) {
    spin_briefly();
    std::exception_ptr error;
    std::mutex error_mutex;
    char begin = 0, end = 0;
    int granted = 1;
    happens_before(&begin);
#pragma omp parallel num_threads(threads)
    {
        happens_after(&begin);
        try {
            TeamOfOne alone;
            if (omp_get_thread_num() == 0) granted = omp_get_num_threads();
            body(omp_get_thread_num(), omp_get_num_threads());
        } catch (...) {
            const std::lock_guard lock(error_mutex);
            if (!error) error = std::current_exception();
        }
        happens_before(&end);
    }
    happens_after(&end);
    pool = {::getpid(), granted};
    if (error) std::rethrow_exception(error);
}

void run_alone(FunctionRef<void(int, int)> body) {
    TeamOfOne alone;
    body(0, 1);
}

/// fork() copies only the calling thread. That thread would wait forever for the other threads of
/// its pool. A new thread starts a new pool.
void run_region_after_fork(int threads, FunctionRef<void(int, int)> body) {
    std::exception_ptr error;
    std::thread fresh;
    try {
        fresh = std::thread([&] {
            try {
                parallel(threads, body);
            } catch (...) {
                error = std::current_exception();
            }
        });
    } catch (const std::system_error&) {
        return run_alone(body);
    }
    fresh.join();
    if (error) std::rethrow_exception(error);
}

}  // namespace

int grantable_threads(int threads) {
    if (omp_get_active_level() >= omp_get_max_active_levels()) return 1;
    return std::clamp(threads, 1, omp_get_thread_limit());
}

void parallel(int threads, FunctionRef<void(int, int)> body) {
    threads = grantable_threads(threads);
    if (threads > 1 && pool.process != 0 && pool.process != ::getpid())
        return run_region_after_fork(threads, body);
    if (threads > 1) threads = startable_threads(threads);
    if (threads <= 1) return run_alone(body);
    run_region(threads, body);
}

}  // namespace internal

int usable_threads() {
    cpu_set_t set;
    CPU_ZERO(&set);
    int cores = 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0) cores = std::max(1, CPU_COUNT(&set));
    const double quota = cgroup_quota();
    if (quota < cores) cores = std::max(1, static_cast<int>(std::ceil(quota)));
    return cores;
}

inline namespace internal {

void Barrier::wait() noexcept {
    const unsigned round = round_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == count_) {
        arrived_.store(0, std::memory_order_relaxed);
        round_.store(round + 1, std::memory_order_release);
        round_.notify_all();
        return;
    }
    // Stages take milliseconds, and threads finish them within microseconds of each other. So a
    // thread first spins and then sleeps, which frees its core where there are more threads than
    // cores.
    for (int spin = 0; spin < 20000; ++spin) {
        if (round_.load(std::memory_order_acquire) != round) return;
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
    }
    while (round_.load(std::memory_order_acquire) == round)
        round_.wait(round, std::memory_order_acquire);
}

}  // namespace internal
}  // namespace vit
