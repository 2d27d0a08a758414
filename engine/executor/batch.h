// One call for a batch of images: which results it wants, and how threads share its images.
#pragma once

#include <cstdint>

#include "vit/fill_image.h"

namespace vit::inline internal {

/// Where the results of a batch are written, one row per image; nullptr: not wanted.
struct ResultPointers {
    float* logits = nullptr;
    float* features = nullptr;
    float* tokens = nullptr;

    bool any() const { return logits != nullptr || features != nullptr || tokens != nullptr; }
};

/// The images of a batch, [channels, height, width] each: at `data`, one after another, or written
/// by `fill` when a thread needs them.
struct ImageBatch {
    std::int64_t count = 0;
    const float* data = nullptr;
    FillImage fill = {};
    ImageDone done = {};  ///< may be empty
};

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
