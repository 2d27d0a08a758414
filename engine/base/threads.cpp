#include "engine/base/threads.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <fstream>
#include <mutex>
#include <string>

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

// The OpenMP runtime is not instrumented, so ThreadSanitizer cannot see that a region's start and
// end order memory. These say so; elsewhere they are nothing.
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

/// Makes OpenMP code called on this thread (oneDNN's) use one thread while it lives.
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

/// Threads that wait for the next region should not hold their cores for long. GNU's runtime spins
/// for a few milliseconds; LLVM's would for 200. Its setting is one of the calling thread.
void spin_briefly() {
#ifdef KMP_VERSION_MAJOR
    kmp_set_blocktime(3);  // ms
#endif
}

/// CPUs granted by the container, or infinity. cgroup v2: "max 100000" or "150000 100000".
double quota_v2(const std::string& path) {
    std::ifstream file(path);
    std::string quota;
    double period = 0;
    if (!(file >> quota >> period) || quota == "max" || period <= 0) return HUGE_VAL;
    try {
        return std::stod(quota) / period;
    } catch (const std::exception&) {
        return HUGE_VAL;
    }
}

double quota_v1(const std::string& folder) {
    std::ifstream quota_file(folder + "/cpu.cfs_quota_us"),
        period_file(folder + "/cpu.cfs_period_us");
    double quota = 0, period = 0;
    if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0)
        return HUGE_VAL;
    return quota / period;
}

/// The tightest quota of this process's cgroup and its parents.
double cgroup_quota() {
    const std::string root = "/sys/fs/cgroup";
    double quota = std::min(quota_v2(root + "/cpu.max"), quota_v1(root + "/cpu"));
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
        const std::size_t colon = line.rfind(':');
        if (colon == std::string::npos) continue;
        for (std::string path = line.substr(colon + 1); path.size() > 1;
             path.resize(std::max<std::size_t>(path.rfind('/'), 0))) {
            if (line.starts_with("0::"))
                quota = std::min(quota, quota_v2(root + path + "/cpu.max"));
            else if (line.find(":cpu") != std::string::npos ||
                     line.find(",cpu:") != std::string::npos)
                quota = std::min(quota, quota_v1(root + "/cpu" + path));
        }
    }
    return quota;
}

}  // namespace

void parallel(int threads, FunctionRef<void(int)> body) {
    if (threads <= 1) {
        TeamOfOne alone;
        body(0);
        return;
    }
    spin_briefly();
    std::exception_ptr error;
    std::mutex error_mutex;
    char begin = 0, end = 0;
    happens_before(&begin);
#pragma omp parallel num_threads(threads)
    {
        happens_after(&begin);
        try {
            TeamOfOne alone;
            body(omp_get_thread_num());
        } catch (...) {
            const std::lock_guard lock(error_mutex);
            if (!error) error = std::current_exception();
        }
        happens_before(&end);
    }
    happens_after(&end);
    if (error) std::rethrow_exception(error);
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
    // Stages take milliseconds and end within microseconds of each other: spin first, then give the
    // core away, which matters when there are more threads than cores.
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
