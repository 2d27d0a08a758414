// What int8 costs, as measured when a model file was made.
#pragma once

#include "vit/config.h"
#ifdef VIT_CXX20

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vit {

/// Stored in the model files that `vit-convert --quantize` writes.
struct QuantizationReport {
    /// The linears that were quantised ("blocks.0.attn.q"), and the relative error of each: of its
    /// outputs on images that were not calibrated on, or of its weights where there were no images.
    /// Both have the same length.
    std::vector<std::string> linears;
    std::vector<double> errors;

    std::int64_t calibrated_images = 0;
    /// Images that were not calibrated on. The numbers below compare int8 with float on them. They
    /// mean nothing where there were no images.
    std::int64_t measured_images = 0;
    std::string compared;  ///< "logits", or "features" for a model without classes
    double mean_cosine = 0, worst_cosine = 0;
    std::optional<double> top1_agreement;  ///< 0 to 1; none without classes
    /// Top-1 accuracy, 0 to 1, where the classes of the images were known.
    std::optional<double> float_accuracy, int8_accuracy;

    /// The cosines of some of these images, which the model file holds together with the results in
    /// float. replay_quantization() runs them again.
    std::vector<double> sample_cosines;
};

}  // namespace vit

#endif  // VIT_CXX20
