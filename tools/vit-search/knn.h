// Classification by nearest neighbours.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tools/vit-search/nearest.h"

namespace vit::search {

/// The class that most of the matches have; of several the lowest. This is scikit-learn's
/// KNeighborsClassifier with metric="cosine". `labels` has the class of each row of the index.
int vote(std::span<const Match> matches, std::span<const int> labels, int classes);

/// The class with the largest sum of exp(cosine / 0.07) over the matches, as in Wu et al.,
/// "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", 2018, and Caron et
/// al., "Emerging Properties in Self-Supervised Vision Transformers" (DINO), 2021.
int weighted_vote(std::span<const Match> matches, std::span<const int> labels, int classes);

}  // namespace vit::search
