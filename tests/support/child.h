// Code that runs in a copy of the process.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <exception>

namespace vit::test {

/// Exit status of a child process that fork() makes and that runs `body`: 0 where `body` returns
/// true. 128 + signal where it ends otherwise; a child that hangs is ended after `seconds`.
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
