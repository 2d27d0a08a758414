// What vit-convert is doing: one line on standard error, and only where a person looks at it.
#pragma once

#include <string>

#include "tools/common/status_line.h"

namespace vit::tools {

class Steps {
  public:
    explicit Steps(bool wanted);

    /// Another step, shown at once.
    void begin(std::string what);
    /// How much of it is done, 0 to 1.
    void show(double share);
    /// Takes the line away, before something else is printed.
    void clear() { line_.clear(); }

  private:
    StatusLine line_;
    std::string what_;
};

}  // namespace vit::tools
