// Shows what vit-convert is doing: one line on standard error, and only on a terminal.
#pragma once

#include <chrono>
#include <string>

namespace vit::tools {

class Steps {
  public:
    /// Silent unless `wanted` is true and standard error is a terminal.
    explicit Steps(bool wanted);
    Steps(const Steps&) = delete;
    Steps& operator=(const Steps&) = delete;
    ~Steps() { clear(); }

    /// Starts the next step and shows it at once.
    void begin(std::string what);
    /// The finished share of the step, 0 to 1.
    void show(double share);
    /// Removes the line before something else is printed.
    void clear();

  private:
    using Clock = std::chrono::steady_clock;
    bool wanted_;
    bool shown_ = false;
    std::string what_;
    Clock::time_point last_{};
};

}  // namespace vit::tools
