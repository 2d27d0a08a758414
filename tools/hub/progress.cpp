#include "tools/hub/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace vit::hub {

Progress::Progress(bool wanted, std::string name, std::uint64_t done,
                   std::optional<std::uint64_t> total)
    : wanted_(wanted && ::isatty(STDERR_FILENO) == 1),
      name_(std::move(name)),
      before_(done),
      total_(total) {}

Progress::~Progress() {
    if (shown_) std::fputs("\r\x1b[K", stderr);
}

void Progress::show(std::uint64_t done) {
    const Clock::time_point now = Clock::now();
    if (!wanted_ || now - last_ < std::chrono::milliseconds(200)) return;
    last_ = now;
    shown_ = true;
    constexpr double mega = 1e6;
    const double seconds = std::max(std::chrono::duration<double>(now - start_).count(), 1e-3);
    std::string line = fmt::format("{}: {:.1f}", name_, static_cast<double>(done) / mega);
    if (total_) {
        constexpr std::uint64_t width = 20;
        const std::uint64_t filled =
            *total_ == 0 ? width : std::min(done, *total_) * width / *total_;
        line = fmt::format("{} of {:.1f} MB [{:#<{}}{:.<{}}]", line,
                           static_cast<double>(*total_) / mega, "", filled, "", width - filled);
    } else {
        line += " MB";
    }
    // Bytes that were there before did not come through the network. After a restart the count
    // begins below them.
    const std::uint64_t moved = done > before_ ? done - before_ : 0;
    std::fprintf(stderr, "\r%s %.1f MB/s\x1b[K", line.c_str(),
                 static_cast<double>(moved) / mega / seconds);
}

}  // namespace vit::hub
