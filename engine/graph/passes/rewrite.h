// What the passes share.
#pragma once

#include <vector>

#include "engine/graph/graph.h"
#include "engine/graph/passes/passes.h"

namespace vit::inline internal {

/// Drops results that are not asked for, nodes that nothing reads, and values that no node touches.
Graph keep_results(Graph graph, const Demand& demand);
/// Without the nodes and values that no result needs.
Graph prune(const Graph& graph);

/// Every reader of `from`, results included, reads `to` instead.
void replace_uses(Graph& graph, ValueId from, ValueId to);

/// Removes the nodes marked in `dead` (one flag a node); their outputs must have no reader left.
void erase_nodes(Graph& graph, const std::vector<bool>& dead);

}  // namespace vit::inline internal
