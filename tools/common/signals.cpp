#include "tools/common/signals.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <initializer_list>

namespace vit::tools {

namespace {

// These are globals because a signal handler can use nothing else.
char interrupted_line[128];
std::size_t interrupted_length = 0;
std::atomic<bool> held = false;
std::atomic<int> waiting = 0;
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

[[noreturn]] void end(int signal) {
    [[maybe_unused]] const auto written =
        write(STDERR_FILENO, interrupted_line, interrupted_length);
    _exit(128 + signal);
}

extern "C" void on_interrupt(int signal) {
    if (!held) end(signal);
    waiting = signal;
}

}  // namespace

void exit_on_interrupt(const char* tool) {
    interrupted_length = 0;
    for (const char* part : {tool, ": error: interrupted\n"}) {
        const std::size_t room = sizeof interrupted_line - interrupted_length;
        const std::size_t length = std::strlen(part) < room ? std::strlen(part) : room;
        std::memcpy(interrupted_line + interrupted_length, part, length);
        interrupted_length += length;
    }
    struct sigaction action = {};
    action.sa_handler = on_interrupt;
    action.sa_flags = SA_RESTART;
    for (const int signal : {SIGINT, SIGTERM}) sigaddset(&action.sa_mask, signal);
    for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

InterruptsHeld::InterruptsHeld() {
    held = true;
}

InterruptsHeld::~InterruptsHeld() {
    held = false;
    if (const int signal = waiting.exchange(0)) end(signal);
}

}  // namespace vit::tools
