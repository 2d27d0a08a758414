#include "tools/common/signals.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

namespace vit::tools {

namespace {

// Written once before the handlers are installed; a handler can reach nothing but globals.
char interrupted_line[128];
std::size_t interrupted_length = 0;

extern "C" void end_now(int signal) {
    [[maybe_unused]] const auto written =
        write(STDERR_FILENO, interrupted_line, interrupted_length);
    _exit(128 + signal);
}

sigset_t interrupts() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

}  // namespace

void exit_on_interrupt(const char* tool) {
    const char* parts[] = {tool, ": error: interrupted\n"};
    interrupted_length = 0;
    for (const char* part : parts) {
        const std::size_t room = sizeof interrupted_line - interrupted_length;
        const std::size_t length = std::strlen(part) < room ? std::strlen(part) : room;
        std::memcpy(interrupted_line + interrupted_length, part, length);
        interrupted_length += length;
    }
    struct sigaction action = {};
    action.sa_handler = end_now;
    action.sa_mask = interrupts();
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

InterruptsHeld::InterruptsHeld() {
    const sigset_t set = interrupts();
    held_ = pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0;
}

InterruptsHeld::~InterruptsHeld() {
    const sigset_t set = interrupts();
    if (held_) pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace vit::tools
