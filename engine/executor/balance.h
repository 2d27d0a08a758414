// Measures how fast the threads of a gang are, and gives each thread a share of the rows to match.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/graph/schedule.h"

namespace vit::inline internal {

/// Watches the runs of one gang. Cores may differ: some CPUs have two kinds of core, and another
/// process may use one of them. Then equal shares make the fast threads wait. A difference in one
/// or two runs is noise, so the shares change only where the median of many runs says so and most
/// of these runs agree. Small gains, and gains that do not pay for new contexts, are ignored.
class Balance {
  public:
    /// `rows`: the number of rows that the threads share.
    Balance(std::int64_t rows, int threads)
        : rows_(rows),
          runs_(static_cast<std::size_t>(threads)),
          speeds_(runs_.size()),
          parts_(runs_.size()),
          wanted_(threads) {}

    /// Records the seconds that each thread worked, without waiting, in a run with these shares.
    void add(std::span<const double> seconds, const Shares& shares);
    /// Returns other shares where they would have saved more than 3 % of the time of the last runs.
    /// Allocates memory for the returned shares only.
    std::optional<Shares> better(const Shares& shares);

  private:
    static constexpr std::size_t window = 15;

    std::int64_t rows_;
    std::vector<std::array<double, window>> runs_;  ///< by thread: seconds per row
    std::vector<double> speeds_;
    std::vector<std::int64_t> parts_;
    Shares wanted_;
    std::size_t added_ = 0;
    double lost_ = 0;  ///< s, longest minus mean, summed since the last comparison
};

}  // namespace vit::inline internal
