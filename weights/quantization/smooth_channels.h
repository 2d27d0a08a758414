// Moves large channels of activations into the weights of the linears that read them, so that a
// row's numbers in int8 are spread over its channels: SmoothQuant (Xiao et al., 2023), with the
// channels' ranges taken from the weights alone.
#pragma once

#include "engine/graph/graph.h"
#include "weights/quantization/model_weights.h"

namespace vit::inline internal {

/// Divides each channel c of a norm by √(a_c / w_c) and multiplies the weights that read it by the
/// same number. w_c is the largest magnitude of these weights, and a_c = |β_c| + 3 |γ_c| is about
/// the largest magnitude of the channel. The same for the values that attention averages, where the
/// projection reads nothing else. The model computes the same function. `graph` is the built graph,
/// before any pass.
void smooth_channels(const Graph& graph, ModelWeights& weights);

}  // namespace vit::inline internal
