// Notices Ctrl-C and termination signals between images.
#pragma once

#include <string>

namespace vit::infer {

/// From now on SIGINT and SIGTERM are stored, and a write to a closed pipe is an error instead of a
/// signal. A second signal ends the process at once. If a run hangs after the first signal, the
/// process ends after a grace time: 2 s, or twice the longest time of an image.
void watch_signals();

/// Reports how long an image took. May be called from any thread.
void note_image_time(double seconds);

/// The signal that arrived, or 0.
int caught_signal();

/// Thrown when work stops because of a signal.
struct Interrupted {
    int signal;
    std::string kept;  ///< what is known of the run so far, for a message; may be empty
};

/// Throws Interrupted if a signal arrived.
void stop_if_interrupted();

}  // namespace vit::infer
