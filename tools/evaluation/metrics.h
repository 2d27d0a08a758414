// The figures of an evaluation, computed from its counts.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tools/evaluation/tally.h"

namespace vit::tools {

/// All images of the tally, whatever their class.
Hits all_hits(const Tally& tally);

/// `part` ÷ `whole`, or 0 where `whole` is 0.
double share(std::int64_t part, std::int64_t whole);

/// The mean of the top-1 accuracies of the classes that have images, 0 to 1. Classes with few
/// images count as much as others.
double mean_class_accuracy(const Tally& tally);

/// The expected calibration error, 0 to 1: the mean of |accuracy − confidence| of the bins, each
/// weighted with its share of the images (Guo et al., 2017).
double expected_calibration_error(std::span<const ConfidenceBin> bins);

/// The mean of −ln of the true class's probability. None where some are not known, or there are no
/// images.
std::optional<double> negative_log_likelihood(const Tally& tally);

struct ClassRow {
    std::int64_t index = 0;
    Hits hits;
    std::int64_t confused_with = -1;  ///< the wrong class predicted most often; -1: none
    std::int64_t confused_images = 0;
};

/// A row for each class that has images, in the order of the classes.
std::vector<ClassRow> class_rows(const Tally& tally);

/// The same, the lowest accuracy first; of equal ones the class with more images.
std::vector<ClassRow> worst_classes(const Tally& tally);

}  // namespace vit::tools
