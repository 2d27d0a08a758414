// One line on standard error that a tool overwrites while it works.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace vit::tools {

/// Writes only where standard error is a terminal. The destructor removes the line.
class StatusLine {
  public:
    explicit StatusLine(bool wanted);
    StatusLine(const StatusLine&) = delete;
    StatusLine& operator=(const StatusLine&) = delete;
    ~StatusLine() { clear(); }

    /// Returns whether it is time to call show() again. False where the line is not wanted, or
    /// where it last changed less than 0.2 s ago.
    bool due();
    void show(std::string_view text);
    /// Removes the line before something else is printed.
    void clear();

    bool wanted() const { return wanted_; }
    /// Seconds since this object was constructed.
    double seconds() const;

  private:
    using Clock = std::chrono::steady_clock;
    bool wanted_;
    bool shown_ = false;
    Clock::time_point start_ = Clock::now();
    Clock::time_point last_{};
};

/// "[#####...............]" of 20 characters; `share` 0 to 1.
std::string progress_bar(double share);

}  // namespace vit::tools
