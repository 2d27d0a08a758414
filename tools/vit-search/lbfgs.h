// Minimises a smooth convex function.
#pragma once

#include <functional>
#include <span>
#include <vector>

namespace vit::search {

/// Returns f(x) and writes its gradient.
using Objective = std::function<double(std::span<const double> x, std::span<double> gradient)>;

/// The minimum that is found from the start `x` by L-BFGS with ten pairs (Nocedal & Wright,
/// "Numerical Optimization", 2006, algorithm 7.5) and backtracking. Ends where no element of the
/// gradient is larger than `tolerance`, where rounding hides any further descent, or after 5000
/// steps.
std::vector<double> minimise(const Objective& f, std::vector<double> x, double tolerance);

}  // namespace vit::search
