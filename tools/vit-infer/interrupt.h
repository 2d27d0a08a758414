// Ctrl-C and termination, noticed between images.
#pragma once

namespace vit::infer {

/// From now on SIGINT and SIGTERM are remembered (a second one ends the process at once), and
/// writing to a closed pipe is an error instead of a signal.
void watch_signals();

/// 0, or the signal that came.
int caught_signal();

/// Thrown where work stops because of a signal; unwinding removes unfinished files.
struct Interrupted {
    int signal;
};

/// Throws Interrupted when a signal came.
void stop_if_interrupted();

}  // namespace vit::infer
