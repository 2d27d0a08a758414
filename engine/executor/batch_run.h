// What each thread does in a call: it takes images, runs them and writes the results.
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
        const ImageBatch& images;
        std::size_t image_floats;
        float* rooms;  ///< memory that images.fill writes to, one image per room; may be nullptr
        ResultPointers results;
        bool profiled;  ///< measures every node
    };
    /// How many rooms a call on `threads` threads needs: the most images that it requests before
    /// the first of them is finished.
    static std::int64_t rooms(int threads, std::int64_t stack) { return threads * (stack + 1); }

    /// `team`: from Contexts::take() for the same graph, split and threads.
    BatchRun(const Call& call, Team& team)
        : call_(call), team_(team), start_(Clock::now()), gangs_have_images_(call.threads) {}

    /// Throws what images.fill, images.done or a node threw, but only after no other thread waits
    /// for this one.
    void run_thread(int thread);

    /// Seconds since construction.
    double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  private:
    using Clock = std::chrono::steady_clock;

    void run_stacks(int thread);
    /// Fills the context with images that belong to stacks. Returns how many images it found.
    /// Stores what images.fill throws in `error`.
    std::int64_t fill_stack(Context& context, int thread, std::span<std::int64_t> images,
                            std::exception_ptr& error);
    void run_alone_and_prepare_gangs(int thread);
    /// Returns image `image`, or nullptr where there is none. No other image has the same room
    /// until this one is finished.
    const float* get(std::int64_t image, std::int64_t room) const;
    void run_gang(int thread);
    void run_part(Context& context, int member);
    /// Copies the results of image `index` of the context to the rows of image `image` of the call.
    void finish(const Context& context, std::int64_t index, std::int64_t image);
    /// Takes the next image below `end`, or returns -1.
    std::int64_t take_before(std::int64_t end);
    const Call& call_;
    Team& team_;
    Clock::time_point start_;
    std::atomic<std::int64_t> next_ = 0;  ///< the next image to take
    std::atomic<bool> failed_ = false;
    Barrier gangs_have_images_;
};

}  // namespace vit::inline internal
