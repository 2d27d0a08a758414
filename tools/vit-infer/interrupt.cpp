#include "tools/vit-infer/interrupt.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <initializer_list>
#include <string_view>

namespace vit::infer {

namespace {

std::atomic<int> caught = 0;      // read by all threads
std::atomic<unsigned> grace = 2;  // s
static_assert(std::atomic<int>::is_always_lock_free, "set by a signal handler");

void remember(int signal) {
    caught = signal;
    ::alarm(grace);
}

void give_up(int) {
    constexpr std::string_view line = "vit-infer: error: interrupted\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    ::_exit(128 + caught);
}

}  // namespace

void watch_signals() {
    struct sigaction action {};
    action.sa_handler = remember;
    // Without SA_RESTART a signal also ends a wait for input.
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    // If a shell starts this program in the background with signals ignored, they must stay
    // ignored.
    for (const int signal : {SIGINT, SIGTERM}) {
        struct sigaction old {};
        if (::sigaction(signal, nullptr, &old) == 0 && old.sa_handler != SIG_IGN)
            ::sigaction(signal, &action, nullptr);
    }
    std::signal(SIGALRM, give_up);
    std::signal(SIGPIPE, SIG_IGN);
}

void note_image_time(double seconds) {
    const auto twice = static_cast<unsigned>(std::ceil(2 * std::min(seconds, 1e6)));
    for (unsigned now = grace; twice > now && !grace.compare_exchange_weak(now, twice);) {
    }
}

int caught_signal() {
    return caught;
}

void stop_if_interrupted() {
    if (const int signal = caught; signal != 0) throw Interrupted{signal, {}};
}

}  // namespace vit::infer
