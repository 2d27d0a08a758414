// Counts the results of images. Its size depends on the classes, and not on the number of images.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "tools/evaluation/image_result.h"

namespace vit::tools {

/// The number of bins of equal width for the calibration error, as in Guo et al., "On Calibration
/// of Modern Neural Networks" (2017).
inline constexpr std::size_t confidence_bins = 15;

struct Hits {
    std::int64_t images = 0;
    std::int64_t top1 = 0, top5 = 0;  ///< images whose class is the best, or one of the best five
};

struct ConfidenceBin {
    std::int64_t images = 0, right = 0;
    double confidence = 0;  ///< sum over the images
};

struct Tally {
    std::vector<Hits> classes;  ///< by true class
    /// (true class, predicted class), which differ, and the number of images.
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> confusions;
    std::array<ConfidenceBin, confidence_bins> bins{};  ///< bin i: confidences in (i/15, (i+1)/15]
    double log_likelihood = 0;                          ///< sum over the images
    /// Whether every image had enough best classes for top5, and its log_likelihood.
    bool top5_known = true, log_likelihood_known = true;
    std::optional<Hits> real;  ///< against real labels, of the images that have any
    std::int64_t failed = 0;   ///< images without a result; they count nowhere else
};

/// A tally of no images. `with_real`: images have real labels.
Tally make_tally(std::int64_t num_classes, bool with_real);

/// Counts the result of an image of class `label`, below the number of classes. `real` has its real
/// labels, if the tally is of real labels.
void add_result(Tally& tally, const ImageResult& result, std::int64_t label,
                std::span<const std::int64_t> real = {});

}  // namespace vit::tools
