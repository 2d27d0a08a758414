// One line on standard error that is written over again and again while a tool works.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace vit::tools {

/// Writes only where standard error is a terminal. The destructor takes the line away.
class StatusLine {
  public:
    explicit StatusLine(bool wanted);
    StatusLine(const StatusLine&) = delete;
    StatusLine& operator=(const StatusLine&) = delete;
    ~StatusLine() { clear(); }

    /// False where nothing would be seen: the line is not wanted, or the last one is younger than
    /// 0.2 s. Where true, the caller shows another line.
    bool due();
    void show(std::string_view text);
    /// Takes the line away, before something else is printed.
    void clear();

    bool wanted() const { return wanted_; }
    /// Since this object was made.
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
