// How fast the threads of a gang are, and how they should share rows because of it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/graph/schedule.h"

namespace vit::inline internal {

/// Watches the runs of one gang. Cores may differ (two kinds of core, another process on one of
/// them), and then equal shares make the fast threads wait. What differs for a run or two is noise
/// that new shares would only follow, so the median of many runs decides, most of them must agree,
/// and small gains, or such that do not pay for new contexts, are left alone.
class Balance {
  public:
    /// `rows`: what the threads share.
    Balance(std::int64_t rows, int threads)
        : rows_(rows),
          runs_(static_cast<std::size_t>(threads)),
          speeds_(runs_.size()),
          parts_(runs_.size()),
          wanted_(threads) {}

    /// Seconds that each thread worked, without waiting, in a run with these shares.
    void add(std::span<const double> seconds, const Shares& shares);
    /// Other shares than these, where they would have saved more than 3 % of the last runs' time.
    /// Allocates only these.
    std::optional<Shares> better(const Shares& shares);

  private:
    static constexpr std::size_t window = 15;

    std::int64_t rows_;
    std::vector<std::array<double, window>> runs_;  ///< by thread: seconds a row
    std::vector<double> speeds_;
    std::vector<std::int64_t> parts_;
    Shares wanted_;
    std::size_t added_ = 0;
    double lost_ = 0;  ///< s, since this was last asked: the longest part over the mean
};

}  // namespace vit::inline internal
