// One call for a batch of images: which results it wants, and how threads share its images.
#pragma once

#include <cstdint>

#include "engine/base/threads.h"

namespace vit::inline internal {

/// Where the results of a batch are written, one row per image; nullptr: not wanted.
struct ResultPointers {
    float* logits = nullptr;
    float* features = nullptr;
    float* tokens = nullptr;

    bool any() const { return logits != nullptr || features != nullptr || tokens != nullptr; }
};

/// Returns a pointer to image `image` of the batch, [channels, height, width], which must stay
/// valid until that image is finished; nullptr: the image is skipped. Called once for each image,
/// by any thread. `room` is a number from 0 to Executor::rooms() - 1. No other image has the same
/// `room` until this one is finished, so it can be the index of a buffer.
using ImageSource = FunctionRef<const float*(std::int64_t image, int room)>;
/// Called by any thread when the results of an image are written.
using ImageFinished = FunctionRef<void(std::int64_t image)>;

/// How the images of a call are divided. The first images run in stacks. The next images run one
/// per thread. Gangs run the remaining images: each gang is several threads that share one image.
struct Split {
    std::int64_t stacked = 0, alone = 0, rest = 0;
    std::int64_t whole() const { return stacked + alone; }
};

/// `stack`: how many images a thread runs at once where it has that many.
inline Split split_of(std::int64_t count, int threads, std::int64_t stack) {
    const std::int64_t rest = count % threads, whole = count - rest,
                       round = stack > 1 ? stack * threads : count + 1;
    const std::int64_t stacked = whole / round * round;
    return {stacked, whole - stacked, rest};
}

/// The first thread of a gang. `rest` images share all threads as equally as possible.
inline int gang_start(std::int64_t gang, std::int64_t rest, int threads) {
    return static_cast<int>(gang * threads / rest);
}

/// How one thread spent its time in a run, in seconds.
struct ThreadTime {
    double begun = 0;   ///< from the start of the call until the thread started to work
    double waited = 0;  ///< until the gangs had their images
    double ended = 0;   ///< from the start of the call until the thread was done
};

}  // namespace vit::inline internal
