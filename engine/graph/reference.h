#pragma once

#include <functional>
#include <span>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/graph/weights.h"

namespace vit::inline internal {

/// Results of a graph in float64; empty where the graph does not compute them.
struct ReferenceResult {
    std::vector<double> logits;    ///< [classes]
    std::vector<double> features;  ///< [D]
    std::vector<double> tokens;    ///< [T, D]
};

/// Evaluates any graph, before or after any pass, in float64 with plain loops. Passes, kernels,
/// architectures and the self-test are tested against it. `image` is [channels, height, width].
/// Takes seconds for ViT-B/16. Calls `progress`, where it is set, with the fraction of the work
/// that is done.
ReferenceResult evaluate(const Graph& graph, const WeightMap& weights, std::span<const float> image,
                         const std::function<void(double)>& progress = {});

/// The activation functions in float64.
double activate(Activation function, double x);

}  // namespace vit::inline internal
