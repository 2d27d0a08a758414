#include "tools/vit-convert/steps.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "tools/common/error_line.h"

namespace vit::tools {

Steps::Steps(bool wanted) : wanted_(wanted && ::isatty(STDERR_FILENO) == 1) {}

void Steps::begin(std::string what) {
    if (!wanted_) return;
    what_ = escape_control(what);
    last_ = {};
    shown_ = true;
    std::fprintf(stderr, "\r%s ...\x1b[K", what_.c_str());
}

void Steps::show(double share) {
    const Clock::time_point now = Clock::now();
    if (!wanted_ || now - last_ < std::chrono::milliseconds(200)) return;
    last_ = now;
    shown_ = true;
    constexpr int width = 20;
    const double done = std::clamp(share, 0.0, 1.0);
    const int filled = static_cast<int>(done * width);
    const std::string bar = fmt::format("{:#<{}}{:.<{}}", "", filled, "", width - filled);
    std::fprintf(stderr, "\r%s [%s] %.0f %%\x1b[K", what_.c_str(), bar.c_str(), 100 * done);
}

void Steps::clear() {
    if (std::exchange(shown_, false)) std::fputs("\r\x1b[K", stderr);
}

}  // namespace vit::tools
