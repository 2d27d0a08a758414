// Shows the progress of a download: one line on standard error, and only on a terminal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/common/status_line.h"

namespace vit::hub {

class Progress {
  public:
    /// Silent unless `wanted` is true and standard error is a terminal. `done` of the `total` bytes
    /// were present before the download.
    Progress(bool wanted, std::string name, std::uint64_t done, std::optional<std::uint64_t> total);

    void show(std::uint64_t done);
    /// Sets the total size if it becomes known only later.
    void expect(std::optional<std::uint64_t> total) { total_ = total; }

  private:
    tools::StatusLine line_;
    std::string name_;
    std::uint64_t before_;
    std::optional<std::uint64_t> total_;
};

}  // namespace vit::hub
