#pragma once

#include <cstdint>
#include <vector>

#include "engine/graph/graph.h"

namespace vit {

/// Nodes that run between two barriers. Every node makes the same number of rows, and a thread that
/// owns some of these rows carries them through all nodes without waiting for another thread.
struct Stage {
    std::int64_t rows = 0;
    std::vector<int> nodes;  ///< indices into Graph::nodes, in the order to run
};

/// Cuts a graph at the nodes that mix rows. A pure function of the graph.
std::vector<Stage> schedule(const Graph& graph);

/// The rows [first, last) that thread `thread` of `threads` owns.
struct RowRange {
    std::int64_t first = 0, last = 0;
    std::int64_t count() const { return last - first; }
};
RowRange owned_rows(std::int64_t rows, int threads, int thread);

}  // namespace vit
