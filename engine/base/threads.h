// Parallel regions, and the barrier for their threads. Only threads.cpp uses OpenMP.
#pragma once

#include <atomic>
#include <memory>
#include <type_traits>
#include <utility>

#include "vit/config.h"

namespace vit {

/// The number of cores that this process may use, from its affinity mask and cgroup quota; at least
/// 1.
VIT_API int usable_threads();

inline namespace internal {

/// The most threads that one call of a model may use.
inline constexpr int most_threads = 1024;

/// Refers to a callable, which must outlive it. Unlike std::function it never allocates.
template <class Signature>
class FunctionRef;

template <class Result, class... Args>
class FunctionRef<Result(Args...)> {
  public:
    template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>)
        FunctionRef(F&& f)  // NOLINT: implicit by design
        : object_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))),
          call_([](void* object, Args... args) -> Result {
              return (*static_cast<std::remove_reference_t<F>*>(object))(
                  std::forward<Args>(args)...);
          }) {}
    Result operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

  private:
    void* object_;
    Result (*call_)(void*, Args...);
};

/// The most threads that parallel(threads) can get: 1 inside a parallel region, otherwise at most
/// OMP_THREAD_LIMIT.
int grantable_threads(int threads);

/// Runs body(0, granted) … body(granted - 1, granted) at the same time, each on its own thread.
/// Returns when all have returned. `granted` is from 1 to `threads`: OpenMP and the system may give
/// fewer threads than requested (nested regions, OMP_THREAD_LIMIT, OMP_DYNAMIC, no more threads).
/// So a body must wait only for threads below `granted`. OpenMP code in libraries that `body` calls
/// uses one thread. The first exception is rethrown here. A body that throws must not leave other
/// threads waiting at a Barrier. May be called from any thread, and in a child process after
/// fork().
void parallel(int threads, FunctionRef<void(int thread, int granted)> body);

/// `count` threads wait here until all of them have arrived. It can be used repeatedly. A thread
/// spins briefly, then sleeps. After wait(), every thread sees what the others wrote before it.
class Barrier {
  public:
    explicit Barrier(int count) : count_(count) {}
    Barrier(const Barrier&) = delete;
    Barrier& operator=(const Barrier&) = delete;
    void wait() noexcept;

  private:
    const int count_;
    alignas(64) std::atomic<int> arrived_{0};
    alignas(64) std::atomic<unsigned> round_{0};
};

}  // namespace internal
}  // namespace vit
