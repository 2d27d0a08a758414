// Logistic regression on vectors: the linear probe of papers on self-supervised learning.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace vit::search {

/// Vectors [N, D], row-major, and the class of each.
struct LabelledVectors {
    std::vector<float> values;
    std::vector<int> labels;
    std::size_t dim = 0;

    std::size_t count() const { return labels.size(); }
    std::span<const float> row(std::size_t i) const {
        return std::span(values).subspan(i * dim, dim);
    }
};

/// A fitted classifier. Of two classes the first has a logit of 0 and no weights.
struct LinearProbe {
    std::size_t dim = 0;
    int classes = 0;
    std::vector<double> mean, factor;  ///< [D]: an input is (x - mean) · factor
    std::vector<double> weights;       ///< [outputs, D + 1], the last column is the bias
};

/// Minimises the sum of the cross-entropies plus half the square of the weights, biases excepted,
/// in float64, on vectors that are standardised to mean 0 and deviation 1. This is scikit-learn's
/// StandardScaler with LogisticRegression(C=1). The result has the same bits for every number of
/// threads. There are at least two classes, and each has a vector.
LinearProbe fit_probe(const LabelledVectors& train, int classes, int threads);

/// The most probable class of a vector; of several the lowest.
int predict(const LinearProbe& probe, std::span<const float> vector);

}  // namespace vit::search
