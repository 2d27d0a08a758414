#include "engine/executor/balance.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vit::inline internal {

namespace {

/// A thread of average speed gets this many parts, which is fine enough for shares of 1 %.
constexpr double average_parts = 128;
constexpr double least_gain = 1.03;
/// The threads must have waited for so many seconds before new shares are considered: new shares
/// need new contexts, which take some milliseconds.
constexpr double worth = 0.1;

template <std::size_t n>
double median(std::array<double, n> values) {
    const auto middle = values.begin() + n / 2;
    std::ranges::nth_element(values, middle);
    return *middle;
}

/// Seconds until the last thread has finished its rows. `speeds` are in rows a second.
double time_of(std::int64_t rows, const Shares& shares, std::span<const double> speeds) {
    double longest = 0;
    for (int t = 0; t < shares.threads(); ++t)
        longest = std::max(longest, static_cast<double>(owned_rows(rows, shares, t).count()) /
                                        speeds[static_cast<std::size_t>(t)]);
    return longest;
}

}  // namespace

void Balance::add(std::span<const double> seconds, const Shares& shares) {
    for (std::size_t t = 0; t < runs_.size(); ++t) {
        const std::int64_t rows = owned_rows(rows_, shares, static_cast<int>(t)).count();
        // Without rows, or where the clock did not advance, the speed of this thread is unknown.
        if (rows == 0 || !(seconds[t] > 0)) return;
        runs_[t][added_ % window] = seconds[t] / static_cast<double>(rows);
    }
    ++added_;
    lost_ += std::ranges::max(seconds) - std::accumulate(seconds.begin(), seconds.end(), 0.0) /
                                             static_cast<double>(seconds.size());
}

std::optional<Shares> Balance::better(const Shares& shares) {
    if (runs_.size() < 2 || added_ < window || lost_ < worth) return {};
    double sum = 0;
    for (std::size_t t = 0; t < runs_.size(); ++t) sum += speeds_[t] = 1 / median(runs_[t]);
    const double now = time_of(rows_, shares, speeds_);
    lost_ = 0;
    const double parts = average_parts * static_cast<double>(speeds_.size()) / sum;
    std::ranges::transform(speeds_, parts_.begin(), [&](double speed) {
        return std::max<std::int64_t>(1, std::llround(parts * speed));
    });
    wanted_.assign(parts_);
    if (now < least_gain * time_of(rows_, wanted_, speeds_)) return {};
    std::size_t agree = 0;
    for (std::size_t run = 0; run < window; ++run) {
        for (std::size_t t = 0; t < runs_.size(); ++t) speeds_[t] = 1 / runs_[t][run];
        agree += time_of(rows_, wanted_, speeds_) < time_of(rows_, shares, speeds_);
    }
    if (4 * agree < 3 * window) return {};
    added_ = 0;
    return wanted_;
}

}  // namespace vit::inline internal
