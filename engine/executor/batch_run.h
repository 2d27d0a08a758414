// The part of each thread in a call: take images, run them, hand over the results.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>

#include "engine/executor/contexts.h"

namespace vit::inline internal {

/// One call of Executor::run, shared by `threads` threads, each of which calls run_thread() once.
class BatchRun {
  public:
    struct Call {
        const Graph& graph;
        Split split;
        int threads;
        std::int64_t stack;  ///< images of a stack
        ImageSource source;
        ResultPointers results;
        ImageFinished finished;
        bool profiled;  ///< measures every node
    };
    /// `team`: as Contexts::take() makes it for the same graph, split and threads.
    BatchRun(const Call& call, Team& team)
        : call_(call), team_(team), start_(Clock::now()), gangs_have_images_(call.threads) {}

    /// Throws what the source, `finished` or a node threw, once no thread waits for this one.
    void run_thread(int thread);

    /// Since this was made.
    double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  private:
    using Clock = std::chrono::steady_clock;

    void run_stacks(int thread);
    /// Fills the context with images before the end of all stacks; returns how many there were.
    std::int64_t fill_stack(Context& context, int thread, std::span<std::int64_t> images,
                            std::exception_ptr& error);
    void run_alone_and_prepare_gangs(int thread);
    void run_gang(int thread);
    void run_part(Context& context, int member);
    /// Results of the context's image `index` go to the rows of the call's image `image`.
    void finish(const Context& context, std::int64_t index, std::int64_t image);
    /// The next image before `end`, or -1.
    std::int64_t take_before(std::int64_t end);
    const Call& call_;
    Team& team_;
    Clock::time_point start_;
    std::atomic<std::int64_t> next_ = 0;  ///< image
    std::atomic<bool> failed_ = false;
    Barrier gangs_have_images_;
};

}  // namespace vit::inline internal
