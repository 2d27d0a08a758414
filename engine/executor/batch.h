// One call for a batch of images: what it asks for, and how threads share it out.
#pragma once

#include <cstdint>

#include "engine/base/threads.h"

namespace vit::inline internal {

/// Where the results of a batch go, one row an image; nullptr: not asked for.
struct ResultPointers {
    float* logits = nullptr;
    float* features = nullptr;
    float* tokens = nullptr;

    bool any() const { return logits != nullptr || features != nullptr || tokens != nullptr; }
};

/// Returns where an image of a batch is, [channels, height, width], until it is done; nullptr: it
/// is left out. Called once for each image, by any thread. No other image has the same `room` (0 up
/// to Executor::rooms()) until this one is done.
using ImageSource = FunctionRef<const float*(std::int64_t image, int room)>;
/// Called by any thread when the results of an image are written.
using ImageFinished = FunctionRef<void(std::int64_t image)>;

/// How the images of a call are shared out: the first ones in stacks, then one a thread, then the
/// rest by gangs, each of several threads that share an image.
struct Split {
    std::int64_t stacked = 0, alone = 0, rest = 0;
    std::int64_t whole() const { return stacked + alone; }
};

/// `stack`: images that a thread runs at once where it has so many.
inline Split split_of(std::int64_t count, int threads, std::int64_t stack) {
    const std::int64_t rest = count % threads, whole = count - rest,
                       round = stack > 1 ? stack * threads : count + 1;
    const std::int64_t stacked = whole / round * round;
    return {stacked, whole - stacked, rest};
}

/// First thread of a gang when `rest` images share all threads as equally as they can.
inline int gang_start(std::int64_t gang, std::int64_t rest, int threads) {
    return static_cast<int>(gang * threads / rest);
}

/// Where the time of one thread went in a run, s.
struct ThreadTime {
    double begun = 0;   ///< from the start of the call until the thread worked
    double waited = 0;  ///< for images of gangs
    double ended = 0;   ///< from the start of the call until the thread had no more to do
};

}  // namespace vit::inline internal
