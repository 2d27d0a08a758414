// What the passes share.
#pragma once

#include <vector>

#include "engine/graph/graph.h"

namespace vit::inline internal {

/// Every reader of `from` now reads `to`; so do the results.
void replace_uses(Graph& graph, ValueId from, ValueId to);

/// Removes the nodes marked in `dead` (one flag per node). Nothing may read their outputs.
void erase_nodes(Graph& graph, const std::vector<bool>& dead);

}  // namespace vit::inline internal
