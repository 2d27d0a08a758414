#include "tools/vit-infer/progress.h"

#include <fmt/format.h>
#include <unistd.h>

namespace vit::infer {

Progress::Progress(bool records_on_stdout)
    : line_(!(records_on_stdout && ::isatty(STDOUT_FILENO) == 1)) {}

void Progress::show(std::int64_t done) {
    if (!line_.due()) return;
    line_.show(fmt::format("{} images, {:.1f} images/s", done,
                           static_cast<double>(done) / line_.seconds()));
}

}  // namespace vit::infer
