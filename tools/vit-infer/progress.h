// Shows the progress of a long run on standard error, and only on a terminal.
#pragma once

#include <cstdint>

#include "tools/common/status_line.h"

namespace vit::infer {

class Progress {
  public:
    /// Silent unless standard error is a terminal. Also silent if `records_on_stdout` is true and
    /// standard output is a terminal, because the records show the progress there.
    explicit Progress(bool records_on_stdout);

    void show(std::int64_t done);

  private:
    tools::StatusLine line_;
};

}  // namespace vit::infer
