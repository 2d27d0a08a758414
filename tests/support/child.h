// Runs code in a copy of the process.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <exception>

namespace vit::test {

/// Runs `body` in a child process made by fork() and returns its exit status: 0 if `body` returns
/// true, otherwise 1. Returns 128 + signal if a signal ends it. A child that hangs is ended after
/// `seconds`.
template <class Body>
int status_of_child(unsigned seconds, Body&& body) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(seconds);
        bool right = false;
        try {
            right = body();
        } catch (const std::exception&) {
        }
        ::_exit(right ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace vit::test
