#include "tools/vit-infer/interrupt.h"

#include <atomic>
#include <csignal>
#include <initializer_list>

namespace vit::infer {

namespace {

std::atomic<int> caught = 0;  // read by all threads
static_assert(std::atomic<int>::is_always_lock_free, "set by a signal handler");

void remember(int signal) {
    caught = signal;
}

}  // namespace

void watch_signals() {
    struct sigaction action {};
    action.sa_handler = remember;
    action.sa_flags = static_cast<int>(SA_RESETHAND);  // no SA_RESTART: waiting for input ends too
    sigemptyset(&action.sa_mask);
    // A shell that started us in the background with signals ignored wants them ignored.
    for (const int signal : {SIGINT, SIGTERM}) {
        struct sigaction old {};
        if (::sigaction(signal, nullptr, &old) == 0 && old.sa_handler != SIG_IGN)
            ::sigaction(signal, &action, nullptr);
    }
    std::signal(SIGPIPE, SIG_IGN);
}

int caught_signal() {
    return caught;
}

void stop_if_interrupted() {
    if (const int signal = caught; signal != 0) throw Interrupted{signal};
}

}  // namespace vit::infer
