// Accuracy of simple classifiers on vectors, as papers on self-supervised learning report it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/vit-search/options.h"

namespace vit::search {

struct Evaluation {
    std::int64_t train = 0;            ///< vectors that were learned from
    int k = 0;                         ///< neighbours
    std::vector<std::string> classes;  ///< in byte order
    std::vector<std::int64_t>
        rows;  ///< the test vectors' rows; vectors without direction have none
    /// For each of these rows the class: the truth, and what each classifier found. A label that no
    /// training vector has is -1.
    std::vector<int> truth, knn, weighted_knn, linear_probe;
    std::int64_t skipped_train = 0, skipped_test = 0;  ///< vectors without a direction
};

/// Part of the rows for which a classifier found the truth, 0 to 1.
double accuracy(const std::vector<int>& found, const std::vector<int>& truth);

/// Throws Error.
Evaluation evaluate(const Options& options);

}  // namespace vit::search
