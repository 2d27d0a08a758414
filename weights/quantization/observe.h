// Runs a part of a model on images and shows the values inside it.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/ops/gemm.h"
#include "weights/quantization/model_weights.h"

namespace vit::inline internal {

/// The same value for several images, dense: preprocessed images [channels, height, width], or the
/// rows of another value.
using Images = std::vector<std::vector<float>>;

/// Where a run starts: at a value of the built graph that is known for each image.
struct Start {
    ValueId value = no_value;
    const Images& images;
};

/// Runs the part of the model from `start` to the last of `values`. Both are values of `graph`, the
/// built graph, and `values` must not need any other value before `start`. Linears whose weights
/// have an int8 form run in int8, everything else in float32. Calls `see` for each image and each
/// value, possibly from several threads at once, with the value's rows, which are valid during the
/// call.
void observe(const Graph& graph, const ModelWeights& weights, const Start& start,
             std::span<const ValueId> values,
             const std::function<void(std::size_t image, std::size_t value, MatrixView rows)>& see);

}  // namespace vit::inline internal
