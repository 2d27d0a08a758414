#include "tools/hub/progress.h"

#include <fmt/format.h>

#include <utility>

namespace vit::hub {

Progress::Progress(bool wanted, std::string name, std::uint64_t done,
                   std::optional<std::uint64_t> total)
    : line_(wanted), name_(std::move(name)), before_(done), total_(total) {}

void Progress::show(std::uint64_t done) {
    if (!line_.due()) return;
    constexpr double mega = 1e6;
    std::string text = fmt::format("{}: {:.1f}", name_, static_cast<double>(done) / mega);
    if (total_) {
        const double share =
            *total_ == 0 ? 1 : static_cast<double>(done) / static_cast<double>(*total_);
        text += fmt::format(" of {:.1f} MB {}", static_cast<double>(*total_) / mega,
                            tools::progress_bar(share));
    } else {
        text += " MB";
    }
    // Bytes that were there before did not come through the network. After a restart the count
    // begins below them.
    const std::uint64_t moved = done > before_ ? done - before_ : 0;
    line_.show(
        fmt::format("{} {:.1f} MB/s", text, static_cast<double>(moved) / mega / line_.seconds()));
}

}  // namespace vit::hub
