// What the passes share.
#pragma once

#include <vector>

#include "engine/graph/graph.h"

namespace vit::inline internal {

/// Every reader of `from`, results included, reads `to` instead.
void replace_uses(Graph& graph, ValueId from, ValueId to);

/// Removes the nodes marked in `dead` (one flag a node); their outputs must have no reader left.
void erase_nodes(Graph& graph, const std::vector<bool>& dead);

}  // namespace vit::inline internal
