// How far a download is: one line on standard error, and only where a person looks at it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace vit::hub {

class Progress {
  public:
    /// Silent unless `wanted` and standard error is a terminal. `done` of `total` bytes were there
    /// before.
    Progress(bool wanted, std::string name, std::uint64_t done, std::optional<std::uint64_t> total);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress();

    void show(std::uint64_t done);
    /// The total, where it is known only now.
    void expect(std::optional<std::uint64_t> total) { total_ = total; }

  private:
    using Clock = std::chrono::steady_clock;
    bool wanted_;
    bool shown_ = false;
    std::string name_;
    std::uint64_t before_;
    std::optional<std::uint64_t> total_;
    Clock::time_point start_ = Clock::now();
    Clock::time_point last_{};
};

}  // namespace vit::hub
