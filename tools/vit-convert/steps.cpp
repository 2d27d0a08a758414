#include "tools/vit-convert/steps.h"

#include <fmt/format.h>

#include "tools/common/error_line.h"

namespace vit::tools {

Steps::Steps(bool wanted) : line_(wanted) {}

void Steps::begin(std::string what) {
    what_ = escape_control(what);
    line_.show(what_ + " ...");
}

void Steps::show(double share) {
    if (!line_.due()) return;
    line_.show(fmt::format("{} {} {:.0f} %", what_, progress_bar(share), 100 * share));
}

}  // namespace vit::tools
