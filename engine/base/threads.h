// Parallel regions and the barrier inside them. The only room that knows OpenMP.
#pragma once

#include <atomic>
#include <memory>
#include <type_traits>
#include <utility>

#include "vit/config.h"

namespace vit {

/// Cores that this process may use: affinity mask and cgroup quota, at least 1.
VIT_API int usable_threads();

inline namespace internal {

/// A call to a callable that outlives it; unlike std::function it never allocates.
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

/// Threads that parallel() can hope for when it asks for `threads`: 1 inside of a parallel region,
/// no more than OMP_THREAD_LIMIT.
int grantable_threads(int threads);

/// Runs body(0, granted) … body(granted - 1, granted) at once, each on its own thread, and returns
/// when all have returned. `granted` is 1 to `threads`: OpenMP and the system may give fewer than
/// asked (nested regions, OMP_THREAD_LIMIT, OMP_DYNAMIC, no more threads), so a body must wait only
/// for threads below `granted`. Libraries called from `body` see a team of one. The first exception
/// is rethrown here; a body that throws must not leave others waiting at a Barrier. May be called
/// from any thread, and in a child process after fork().
void parallel(int threads, FunctionRef<void(int thread, int granted)> body);

/// Meeting point of `count` threads, reusable; spins briefly, then sleeps. What a thread wrote
/// before wait() is seen by all after it.
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
