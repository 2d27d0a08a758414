// Ctrl-C and termination, noticed between images.
#pragma once

namespace vit::infer {

/// From now on SIGINT and SIGTERM are remembered, and writing to a closed pipe is an error instead
/// of a signal. A second signal ends the process at once. So does the end of a grace after the
/// first one, for a run that hangs: 2 s, or twice the longest time of an image.
void watch_signals();

/// An image took so long. May be called from any thread.
void note_image_time(double seconds);

/// 0, or the signal that came.
int caught_signal();

/// Thrown where work stops because of a signal; unwinding removes unfinished files.
struct Interrupted {
    int signal;
};

/// Throws Interrupted when a signal came.
void stop_if_interrupted();

}  // namespace vit::infer
