// What the passes share.
#pragma once

#include <vector>

#include "engine/graph/graph.h"
#include "engine/graph/passes/passes.h"

namespace vit::inline internal {

/// Drops the results that `demand` does not need, and all nodes and values that only they need.
Graph keep_results(Graph graph, const Demand& demand);
/// Removes the nodes and values that no result needs.
Graph prune(const Graph& graph);

/// Every reader of `from` now reads `to`; so do the results.
void replace_uses(Graph& graph, ValueId from, ValueId to);

/// Removes the nodes marked in `dead` (one flag per node). Nothing may read their outputs.
void erase_nodes(Graph& graph, const std::vector<bool>& dead);

}  // namespace vit::inline internal
