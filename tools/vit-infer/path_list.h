// A list of paths read from a file descriptor. The paths may arrive slowly.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vit::infer {

class PathList {
  public:
    PathList(int fd, char separator) : fd_(fd), separator_(separator) {}

    /// The next path; empty at the end. Skips empty lines. Throws Error(io), Interrupted.
    std::optional<std::string> next();

    /// True if next() would return without waiting.
    bool ready();

  private:
    /// Throws Error(usage) where the bytes are an image's, or have a NUL that ends no path.
    void refuse_other_than_paths(std::string_view bytes);
    std::optional<std::string> take();
    void fill();

    int fd_;
    char separator_;
    std::string buffer_;
    bool is_first_ = true;  ///< nothing has been read yet
    bool ended_ = false;
};

}  // namespace vit::infer
