// The memory for images that run together, and the steps of every thread, bound to that memory.
#pragma once

#include <exception>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/base/threads.h"
#include "engine/executor/prepared_model.h"
#include "engine/executor/step.h"
#include "engine/graph/plan.h"
#include "engine/graph/schedule.h"

namespace vit::inline internal {

/// Runs one image at a time on a gang of threads that share its rows or columns. Or runs a stack of
/// images on one thread: a row-local node then computes the rows of all images at once.
class Context {
  public:
    /// Plans, allocates and binds. Two threads must not construct contexts of one model at the same
    /// time. Throws Error(memory), Error(unsupported).
    Context(const Graph& graph, PreparedModel& model, Shares shares, std::int64_t images = 1);

    const Shares& shares() const { return shares_; }
    /// Bytes of memory for activations.
    std::size_t bytes() const { return plan_.arena_bytes + gang_.size() * plan_.scratch_bytes; }

    std::int64_t images() const { return static_cast<std::int64_t>(images_.size()); }
    /// Set every image, [channels, height, width], before a run. It must stay valid until the run
    /// ends.
    void set_image(const float* image, std::int64_t index = 0) {
        images_[static_cast<std::size_t>(index)] = image;
    }
    const float* image() const { return images_[0]; }

    /// Does the part of thread `thread` of the gang. All threads of the gang must call this at the
    /// same time. Errors are kept for rethrow_error(), so that no thread waits for one that failed.
    void run(int thread) noexcept;
    /// The same as run(). Also adds this thread's seconds to each node's time and to the time spent
    /// waiting at barriers.
    void run_profiled(int thread) noexcept;
    void rethrow_error();
    /// Seconds that each thread worked in the last run, without waiting for other threads.
    std::span<const double> worked() const { return worked_; }

    /// A result of one image after a run; no_value is not allowed.
    Rows result(ValueId id, std::int64_t index = 0) const;
    /// Seconds that all threads together spent in a node since the last call of this function.
    double take_seconds(std::size_t node);
    /// The same for the time spent waiting at barriers.
    double take_waiting();

  private:
    struct Member {
        AlignedBuffer scratch;
        std::vector<std::vector<Step>> stages;
        std::vector<double> seconds;
        double waiting = 0;
        std::exception_ptr error;
    };
    template <bool profiled>
    void run_stages(std::size_t thread) noexcept;

    const Graph& graph_;
    const KernelSet& kernels_;
    std::vector<const float*> images_;
    Shares shares_;
    Plan plan_;
    mutable AlignedBuffer arena_;
    std::vector<Member> gang_;
    std::vector<double> worked_;  // by thread
    Barrier barrier_;
};

}  // namespace vit::inline internal
