// Shows the progress of a long run on standard error, and only on a terminal.
#pragma once

#include <chrono>
#include <cstdint>

namespace vit::infer {

class Progress {
  public:
    /// Silent unless standard error is a terminal. Also silent if `records_on_stdout` is true and
    /// standard output is a terminal, because the records show the progress there.
    explicit Progress(bool records_on_stdout);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress();

    void show(std::int64_t done);

  private:
    using Clock = std::chrono::steady_clock;
    bool shown_ = false;
    bool wanted_;
    Clock::time_point start_ = Clock::now();
    Clock::time_point last_ = start_;
};

}  // namespace vit::infer
