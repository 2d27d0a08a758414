// A list of paths that arrives on a file descriptor, maybe slowly.
#pragma once

#include <optional>
#include <string>

namespace vit::infer {

class PathList {
  public:
    PathList(int fd, char separator) : fd_(fd), separator_(separator) {}

    /// Empty at the end; skips empty lines. Throws Error(io), Interrupted.
    std::optional<std::string> next();

    /// True when next() would not wait.
    bool ready();

  private:
    std::optional<std::string> take();
    void fill();

    int fd_;
    char separator_;
    std::string buffer_;
    bool ended_ = false;
};

}  // namespace vit::infer
