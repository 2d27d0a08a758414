// What vit-convert is doing: one line on standard error, and only where a person looks at it.
#pragma once

#include <chrono>
#include <string>

namespace vit::tools {

class Steps {
  public:
    /// Silent unless `wanted` and standard error is a terminal.
    explicit Steps(bool wanted);
    Steps(const Steps&) = delete;
    Steps& operator=(const Steps&) = delete;
    ~Steps() { clear(); }

    /// Another step, shown at once.
    void begin(std::string what);
    /// How much of it is done, 0 to 1.
    void show(double share);
    /// Takes the line away, before something else is printed.
    void clear();

  private:
    using Clock = std::chrono::steady_clock;
    bool wanted_;
    bool shown_ = false;
    std::string what_;
    Clock::time_point last_{};
};

}  // namespace vit::tools
