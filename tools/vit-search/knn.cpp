#include "tools/vit-search/knn.h"

#include <algorithm>
#include <cmath>

namespace vit::search {

namespace {

constexpr double temperature = 0.07;

/// The class with the largest sum of the matches' weights.
template <class Weight>
int heaviest(std::span<const Match> matches, std::span<const int> labels, int classes,
             Weight weight) {
    std::vector<double> sums(static_cast<std::size_t>(classes));
    for (const Match& match : matches)
        sums[static_cast<std::size_t>(labels[static_cast<std::size_t>(match.row)])] +=
            weight(match);
    return static_cast<int>(std::ranges::max_element(sums) - sums.begin());
}

}  // namespace

int vote(std::span<const Match> matches, std::span<const int> labels, int classes) {
    return heaviest(matches, labels, classes, [](const Match&) { return 1.0; });
}

int weighted_vote(std::span<const Match> matches, std::span<const int> labels, int classes) {
    return heaviest(matches, labels, classes,
                    [](const Match& match) { return std::exp(match.cosine / temperature); });
}

}  // namespace vit::search
