// What evaluation needs to know about the logits of one image.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vit::tools {

/// The number of best classes that count for top-5 accuracy.
inline constexpr std::size_t top_classes = 5;

struct ImageResult {
    /// The classes with the largest logits, the largest first; of equal ones the lower index. At
    /// most top_classes of them, and at least one.
    std::vector<std::int64_t> best;
    double confidence = 0;  ///< softmax probability of best[0], 0 to 1
    /// The natural logarithm of the softmax probability of the true class. None: not known.
    std::optional<double> log_likelihood;
};

/// The result of `logits` [classes], which may not be empty, for an image of class `label`.
/// Computed in float64. Empty where a logit is not finite.
std::optional<ImageResult> result_of_logits(std::span<const float> logits, std::int64_t label);

}  // namespace vit::tools
