// How far a download is: one line on standard error, and only where a person looks at it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/common/status_line.h"

namespace vit::hub {

class Progress {
  public:
    /// `done` of `total` bytes were there before.
    Progress(bool wanted, std::string name, std::uint64_t done, std::optional<std::uint64_t> total);

    void show(std::uint64_t done);
    /// The total, where it is known only now.
    void expect(std::optional<std::uint64_t> total) { total_ = total; }

  private:
    tools::StatusLine line_;
    std::string name_;
    std::uint64_t before_;
    std::optional<std::uint64_t> total_;
};

}  // namespace vit::hub
