#include "tools/vit-infer/sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <span>
#include <system_error>
#include <utility>

#include "engine/base/text.h"
#include "tools/vit-infer/interrupt.h"
#include "vit/error.h"

namespace vit::infer {

namespace {

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view what) {
    const std::string name = path.empty() ? "standard output" : in_quotes(path.native());
    throw Error(ErrorKind::io,
                fmt::format("{} ({})", what,
                            fmt::format("{}: {}", name, std::generic_category().message(errno))));
}

}  // namespace

Sink::Sink(std::filesystem::path path, PartFile::Begin begin) : path_(std::move(path)) {
    if (path_.empty()) {
        fd_ = STDOUT_FILENO;
        return;
    }
    struct stat status {};
    const bool exists = ::stat(path_.c_str(), &status) == 0;
    if (exists && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
        fd_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
        if (fd_ < 0) fail(path_, "cannot open the output");
    } else {
        file_ = std::make_unique<PartFile>(path_, begin);
    }
}

Sink::~Sink() {
    if (fd_ > STDERR_FILENO) ::close(fd_);
}

void Sink::write(std::string_view text) {
    if (file_) {
        file_->write(std::as_bytes(std::span(text)));
        return;
    }
    while (!text.empty()) {
        // A signal that another thread receives does not end the wait here. So the wait is short
        // and checks for signals, and one write is no larger than a pipe accepts at once.
        pollfd wanted{fd_, POLLOUT, 0};
        if (::poll(&wanted, 1, 100) <= 0) {
            stop_if_interrupted();
            continue;
        }
        const ssize_t count =
            ::write(fd_, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
        if (count >= 0) {
            text.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EINTR || errno == EAGAIN) {
            stop_if_interrupted();
        } else if (errno == EPIPE) {
            throw ReaderGone{};
        } else {
            fail(path_, "cannot write the output");
        }
    }
}

void Sink::commit() {
    if (file_) file_->commit();
}

}  // namespace vit::infer
