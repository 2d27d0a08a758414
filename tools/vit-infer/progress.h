// How far a long run is: on standard error, and only where a person looks at it.
#pragma once

#include <cstdint>

#include "tools/common/status_line.h"

namespace vit::infer {

class Progress {
  public:
    /// `records_on_stdout`: silent where standard output is a terminal too, as the records show it.
    explicit Progress(bool records_on_stdout);

    void show(std::int64_t done);

  private:
    tools::StatusLine line_;
};

}  // namespace vit::infer
