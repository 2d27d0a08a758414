#include "tools/vit-infer/path_list.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "tools/vit-infer/interrupt.h"
#include "vit/error.h"

namespace vit::infer {

namespace {

bool begins_an_image(std::string_view bytes) {
    constexpr std::array<std::string_view, 4> magic{"\xff\xd8\xff", "\x89PNG", "GIF87a", "GIF89a"};
    return std::ranges::any_of(magic, [&](std::string_view m) { return bytes.starts_with(m); }) ||
           (bytes.starts_with("RIFF") && bytes.substr(0, 12).ends_with("WEBP"));
}

}  // namespace

void PathList::refuse_other_than_paths(std::string_view bytes) {
    const auto refuse = [](std::string_view found, std::string_view advice) {
        throw Error(
            ErrorKind::usage,
            fmt::format("standard input: expected a list of paths, found {}; {}", found, advice));
    };
    if (std::exchange(is_first_, false) && begins_an_image(bytes))
        refuse("the bytes of an image", "name the image's file instead of -");
    if (separator_ == '\n' && bytes.find('\0') != std::string_view::npos)
        refuse("a NUL byte", "add --null if the paths end with NUL");
}

std::optional<std::string> PathList::take() {
    while (!buffer_.empty()) {
        const std::size_t end = buffer_.find(separator_);
        if (end == std::string::npos && !ended_) return {};
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end == std::string::npos ? end : end + 1);
        if (separator_ == '\n' && line.ends_with('\r')) line.pop_back();
        if (!line.empty()) return line;
    }
    return {};
}

void PathList::fill() {
    std::array<char, 65536> block;
    const ssize_t count = ::read(fd_, block.data(), block.size());
    if (count > 0) {
        const std::string_view bytes(block.data(), static_cast<std::size_t>(count));
        refuse_other_than_paths(bytes);
        buffer_.append(bytes);
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
