// How far a long run is: on standard error, and only where a person looks at it.
#pragma once

#include <chrono>
#include <cstdint>

namespace vit::infer {

class Progress {
  public:
    /// Silent unless standard error is a terminal; `records_on_stdout` and standard output a
    /// terminal too: silent, the records show it.
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
