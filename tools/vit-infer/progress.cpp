#include "tools/vit-infer/progress.h"

#include <unistd.h>

#include <cstdio>

namespace vit::infer {

Progress::Progress(bool records_on_stdout)
    : wanted_(::isatty(STDERR_FILENO) == 1 &&
              !(records_on_stdout && ::isatty(STDOUT_FILENO) == 1)) {}

Progress::~Progress() {
    if (shown_) std::fputs("\r\x1b[K", stderr);
}

void Progress::show(std::int64_t done) {
    const Clock::time_point now = Clock::now();
    if (!wanted_ || now - last_ < std::chrono::milliseconds(200)) return;
    last_ = now;
    shown_ = true;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    std::fprintf(stderr, "\r%lld images, %.1f images/s\x1b[K", static_cast<long long>(done),
                 static_cast<double>(done) / seconds);
}

}  // namespace vit::infer
