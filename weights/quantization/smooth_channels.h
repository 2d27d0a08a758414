// Moves large channels of activations into the weights of the linears that read them, so that a
// row's numbers in int8 are spread over its channels: SmoothQuant (Xiao et al., 2023).
#pragma once

#include <map>
#include <vector>

#include "engine/graph/graph.h"
#include "weights/quantization/model_weights.h"
#include "weights/quantization/rows.h"

namespace vit::inline internal {

/// The values whose channels can be smoothed: a norm's output that only linears read, and the
/// average that attention takes of such a norm's values, where only the projection reads it.
/// `graph` is the built graph, before any pass.
std::vector<ValueId> smoothable_values(const Graph& graph);

/// Rows that each value has for some images.
using RowsOfValues = std::map<ValueId, Matrix>;

/// Divides channel c of each smoothable value by a_c^s / w_c^(1 − s) and multiplies the weights
/// that read it by the same number. a_c is the largest magnitude of the channel in the sample rows,
/// w_c the largest of the weights that read it. The strength s is the one of a few, "off" included,
/// with the smallest error of the linears' outputs for these rows. A value without an entry in
/// `samples` gets random rows with the mean and the deviation that the weights tell. The model
/// computes the same function.
void smooth_channels(const Graph& graph, ModelWeights& weights, RowsOfValues samples = {});

}  // namespace vit::inline internal
