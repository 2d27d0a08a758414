// Groups of vectors that are nearly equal.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tools/vit-search/vector_file.h"

namespace vit::search {

/// Joins all pairs of vectors whose cosine is at least `least` (above 0, at most 1), and returns
/// the groups of two or more: the connected components. Rows are ascending, and groups are in the
/// order of their first rows. Compares all pairs. Cosines near `least` are computed in float64.
/// Vectors without a direction are in no group. `progress` is told the share of the pairs that are
/// compared, from 0 to 1, from one thread at a time.
std::vector<std::vector<std::int64_t>> duplicates(const VectorFile& index, double least,
                                                  int threads,
                                                  const std::function<void(double)>& progress);

}  // namespace vit::search
