#include "tests/cli/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

extern char** environ;

namespace vit::test {

namespace {

/// The two ends of a pipe. No child inherits them by accident.
std::array<int, 2> make_pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    return ends;
}

constexpr std::array<int, 2> no_fds{-1, -1};

/// The two sides of a terminal: the one that the test reads, and the one that programs write to.
std::array<int, 2> make_terminal() {
    std::array<int, 2> ends = no_fds;
    EXPECT_EQ(::openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr), 0);
    for (const int each : ends) ::fcntl(each, F_SETFD, FD_CLOEXEC);
    return ends;
}

/// Reads all that programs write to the terminal until the last one has ended. Closes the terminal.
std::string text_on(const std::array<int, 2>& terminal) {
    ::close(terminal[1]);
    std::string text;
    std::array<char, 4096> block;
    for (ssize_t count; (count = ::read(terminal[0], block.data(), block.size())) > 0;)
        text.append(block.data(), static_cast<std::size_t>(count));
    ::close(terminal[0]);
    return text;
}

int spawn(const std::vector<std::string>& arguments, int in, int out, int err) {
    std::vector<char*> pointers;
    for (const std::string& each : arguments) pointers.push_back(const_cast<char*>(each.c_str()));
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    // Resets the signals as a shell would, because the test runner may have changed its own.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t defaults;
    sigemptyset(&defaults);
    for (const int number : {SIGPIPE, SIGINT, SIGTERM}) sigaddset(&defaults, number);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    pid_t pid = -1;
    EXPECT_EQ(::posix_spawn(&pid, pointers[0], &actions, &attributes, pointers.data(), environ), 0)
        << arguments[0];
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

int wait_for(int pid) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    int status = 0;
    while (::waitpid(pid, &status, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() > end) {
            ADD_FAILURE() << "takes more than a minute";
            ::kill(pid, SIGKILL);
            ::waitpid(pid, &status, 0);
            break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string read_all(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
}

/// A temporary file for data that could fill a pipe. The file is deleted with this object.
class ScratchFile {
  public:
    ScratchFile() {
        std::string name = testing::TempDir() + "/vit_cli_XXXXXX";
        fd_ = ::mkostemp(name.data(), O_CLOEXEC);
        EXPECT_GE(fd_, 0);
        path_ = name;
    }
    ~ScratchFile() {
        ::close(fd_);
        ::unlink(path_.c_str());
    }
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;
    int fd() const { return fd_; }
    std::string text() const { return read_all(path_); }

  private:
    int fd_ = -1;
    std::filesystem::path path_;
};

}  // namespace

Finished run(const Start& start) {
    ScratchFile in, out, err;
    EXPECT_EQ(::write(in.fd(), start.in.data(), start.in.size()),
              static_cast<ssize_t>(start.in.size()));
    ::lseek(in.fd(), 0, SEEK_SET);
    int out_fd = out.fd();
    if (!start.stdout_path.empty())
        out_fd = ::open(start.stdout_path.c_str(), O_WRONLY | O_CLOEXEC);
    std::array<int, 2> nobody = no_fds;
    if (start.stdout_closed_pipe) {
        nobody = make_pipe();
        ::close(nobody[0]);
        out_fd = nobody[1];
    }
    Finished finished;
    const std::array<int, 2> screen = start.stderr_terminal ? make_terminal() : no_fds;
    const int err_fd = start.stderr_terminal ? screen[1] : err.fd();
    const int pid = spawn(start.arguments, in.fd(), out_fd, err_fd);
    if (start.stderr_terminal) finished.err = text_on(screen);
    finished.status = wait_for(pid);
    if (out_fd != out.fd()) ::close(out_fd);
    finished.out = out.text();
    if (!start.stderr_terminal) finished.err = err.text();
    return finished;
}

Finished run(const std::vector<std::string>& arguments) {
    Start start;
    start.arguments = arguments;
    return run(start);
}

void wait_until(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!holds()) {
        ASSERT_LT(std::chrono::steady_clock::now(), end) << "what is waited for does not come";
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

Running::Running(const std::vector<std::string>& arguments) {
    const auto in = make_pipe();
    const auto out = make_pipe();
    pid_ = spawn(arguments, in[0], out[1], STDERR_FILENO);
    ::close(in[0]);
    ::close(out[1]);
    in_ = in[1];
    out_ = out[0];
}

Running::~Running() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    if (in_ >= 0) ::close(in_);
    if (out_ >= 0) ::close(out_);
}

void Running::write(const std::string& text) {
    ASSERT_EQ(::write(in_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

std::string Running::read_line() {
    while (true) {
        const std::size_t end = buffer_.find('\n');
        if (end != std::string::npos) {
            std::string line = buffer_.substr(0, end);
            buffer_.erase(0, end + 1);
            return line;
        }
        pollfd wanted{out_, POLLIN, 0};
        std::array<char, 4096> block;
        const ssize_t count =
            ::poll(&wanted, 1, 60'000) == 1 ? ::read(out_, block.data(), block.size()) : -1;
        if (count <= 0) {
            ADD_FAILURE() << "no further line came; so far: " << buffer_;
            return {};
        }
        buffer_.append(block.data(), static_cast<std::size_t>(count));
    }
}

void Running::signal(int number) {
    ::kill(pid_, number);
}

long Running::peak_kib() const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string word; status >> word;)
        if (long kib = 0; word == "VmHWM:" && status >> kib) return kib;
    ADD_FAILURE() << "no VmHWM in /proc";
    return 0;
}

Finished Running::finish() {
    ::close(std::exchange(in_, -1));
    Finished finished;
    finished.status = wait_for(std::exchange(pid_, -1));
    std::array<char, 4096> block;
    for (ssize_t count; (count = ::read(out_, block.data(), block.size())) > 0;)
        buffer_.append(block.data(), static_cast<std::size_t>(count));
    finished.out = buffer_;
    return finished;
}

}  // namespace vit::test
