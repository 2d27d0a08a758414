// Exact search: compares every query with every vector.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tools/vit-search/vector_file.h"

namespace vit::search {

struct Match {
    std::int64_t row = 0;
    float cosine = 0;
};

/// For each query the `k` vectors with the largest cosines, the largest first; of equal cosines the
/// lower row comes first. Vectors without a direction (make_unit) are never found, so that there
/// may be fewer than `k`. `queries` [M, D] have length 1, and D is the index's. The result has the
/// same bits for every number of threads. The error of a cosine is at most 1e-6.
std::vector<std::vector<Match>> nearest(const VectorFile& index, std::span<const float> queries,
                                        std::size_t k, int threads);

}  // namespace vit::search
