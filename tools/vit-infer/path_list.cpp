#include "tools/vit-infer/path_list.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "tools/vit-infer/interrupt.h"
#include "vit/error.h"

namespace vit::infer {

std::optional<std::string> PathList::take() {
    while (!buffer_.empty()) {
        const std::size_t end = buffer_.find(separator_);
        if (end == std::string::npos && !ended_) return {};
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end == std::string::npos ? end : end + 1);
        if (!line.empty()) return line;
    }
    return {};
}

void PathList::fill() {
    std::array<char, 65536> block;
    const ssize_t count = ::read(fd_, block.data(), block.size());
    if (count > 0) {
        buffer_.append(block.data(), static_cast<std::size_t>(count));
    } else if (count == 0) {
        ended_ = true;
    } else if (errno == EINTR) {
        stop_if_interrupted();
    } else {
        throw Error(ErrorKind::io,
                    fmt::format("cannot read the list of inputs (standard input: {})",
                                std::generic_category().message(errno)));
    }
}

std::optional<std::string> PathList::next() {
    while (true) {
        if (auto line = take()) return line;
        if (ended_) return {};
        fill();
    }
}

bool PathList::ready() {
    while (!ended_ && buffer_.find(separator_) == std::string::npos) {
        pollfd wanted{fd_, POLLIN, 0};
        if (::poll(&wanted, 1, 0) <= 0) return false;
        fill();
    }
    return true;
}

}  // namespace vit::infer
