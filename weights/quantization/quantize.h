// Turns the linears of a model's blocks into int8.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/model/model_file.h"
#include "weights/quantization/model_weights.h"
#include "weights/quantization/observe.h"

namespace vit::inline internal {

/// A linear after quantisation.
struct QuantizedLinear {
    std::string name;               ///< "blocks.0.attn.q"
    double error = 0;               ///< relative, as the function that made it describes
    std::vector<float> float_bias;  ///< the bias for the weight in float; empty: unchanged or none
};

/// Smooths channels, then rounds each weight to its nearest number. The errors are those of the
/// weights: ‖Ŵ − W‖ / ‖W‖. `graph` is the built graph.
std::vector<QuantizedLinear> quantize(const Graph& graph, ModelWeights& weights);

/// Adds the errors to a model file's report.
void add_errors(std::span<const QuantizedLinear> linears, QuantizationReport& report);

/// Makes an int8 model without images: quantises `weights`, and sets the header's type and report.
void quantize_without_images(ModelHeader& header, ModelWeights& weights);

/// Images for calibration. `measured` are other images, on which the errors are measured.
struct CalibrationImages {
    Images calibrated, measured;
};

/// Smooths channels, then goes through the linears in the order of the graph. Each weight is
/// rounded with GPTQ for the inputs that it gets from the linears before it, which are int8
/// already. Its bias, where it has one, absorbs the mean change of its output, the change of its
/// input included. The errors are those of the outputs for the measured images, each output about
/// its mean: ‖ŷ − y‖ / ‖y‖, for the same input. Calls `progress` with the share that is done.
/// Throws Error(model) where values are not finite.
std::vector<QuantizedLinear> quantize(const Graph& graph, ModelWeights& weights,
                                      const CalibrationImages& images,
                                      const std::function<void(double)>& progress);

/// Undoes the quantisation of one linear.
void keep_float(const QuantizedLinear& linear, ModelWeights& weights);

}  // namespace vit::inline internal
