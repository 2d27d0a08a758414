#include "tools/common/status_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace vit::tools {

StatusLine::StatusLine(bool wanted) : wanted_(wanted && ::isatty(STDERR_FILENO) == 1) {}

bool StatusLine::due() {
    const Clock::time_point now = Clock::now();
    if (!wanted_ || now - last_ < std::chrono::milliseconds(200)) return false;
    last_ = now;
    return true;
}

void StatusLine::show(std::string_view text) {
    if (!wanted_) return;
    shown_ = true;
    std::fprintf(stderr, "\r%.*s\x1b[K", static_cast<int>(text.size()), text.data());
}

void StatusLine::clear() {
    if (std::exchange(shown_, false)) std::fputs("\r\x1b[K", stderr);
}

double StatusLine::seconds() const {
    return std::max(std::chrono::duration<double>(Clock::now() - start_).count(), 1e-3);
}

std::string progress_bar(double share) {
    constexpr int width = 20;
    const int filled = static_cast<int>(std::clamp(share, 0.0, 1.0) * width);
    return fmt::format("[{:#<{}}{:.<{}}]", "", filled, "", width - filled);
}

}  // namespace vit::tools
