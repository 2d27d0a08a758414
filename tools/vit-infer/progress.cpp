#include "tools/vit-infer/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace vit::infer {

namespace {

/// "2 h 5 min", "3 min 20 s", "8 s".
std::string duration(double seconds) {
    const auto whole = static_cast<std::int64_t>(seconds + 0.5);
    if (whole >= 3600) return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
    if (whole >= 60) return fmt::format("{} min {} s", whole / 60, whole % 60);
    return fmt::format("{} s", whole);
}

}  // namespace

void Progress::show(std::int64_t done, double part) {
    if (!line_.due()) return;
    const double all_done = static_cast<double>(done) + part,
                 speed = (all_done - static_cast<double>(skipped_)) / line_.seconds();
    if (!total_ || speed <= 0) {
        line_.show(fmt::format("{} images, {:.1f} images/s", done, speed));
        return;
    }
    const double left = (static_cast<double>(*total_) - all_done) / speed;
    line_.show(fmt::format(
        "{} {} of {} images, {:.1f} images/s, {} left",
        tools::progress_bar(all_done / static_cast<double>(std::max<std::int64_t>(*total_, 1))),
        done, *total_, speed, duration(left)));
}

void Progress::summarise(std::int64_t done, std::int64_t failed, double decoding_seconds,
                         int threads) {
    if (!line_.wanted()) return;
    line_.clear();
    const double seconds = line_.seconds();
    done -= skipped_;
    std::fprintf(
        stderr, "%s\n",
        fmt::format("{} image{}, {} failed, {:.1f} images/s, {:.0f} % of the time for "
                    "decoding",
                    done, done == 1 ? "" : "s", failed, static_cast<double>(done) / seconds,
                    100 * decoding_seconds / (seconds * threads))
            .c_str());
}

}  // namespace vit::infer
