// Shows the progress of a download: one line on standard error, and only on a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace vit::hub {

class Progress {
  public:
    /// Silent unless `wanted` is true and standard error is a terminal. `done` of the `total` bytes
    /// were present before the download.
    Progress(bool wanted, std::string name, std::uint64_t done, std::optional<std::uint64_t> total);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress();

    void show(std::uint64_t done);
    /// Sets the total size if it becomes known only later.
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
