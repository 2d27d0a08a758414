// Shows what vit-convert is doing: one line on standard error, and only on a terminal.
#pragma once

#include <string>

#include "tools/common/status_line.h"

namespace vit::tools {

class Steps {
  public:
    /// Silent unless `wanted` is true and standard error is a terminal.
    explicit Steps(bool wanted);

    /// Starts the next step and shows it at once.
    void begin(std::string what);
    /// The finished share of the step, 0 to 1.
    void show(double share);
    /// Removes the line before something else is printed.
    void clear() { line_.clear(); }

  private:
    StatusLine line_;
    std::string what_;
};

}  // namespace vit::tools
