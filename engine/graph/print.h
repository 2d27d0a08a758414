#pragma once

#include <string>

#include "engine/graph/graph.h"

namespace vit::inline internal {

/// One line a node: name, kind, what it reads, shape, GFLOP.
std::string print_text(const Graph& graph);

/// For Graphviz.
std::string print_dot(const Graph& graph);

}  // namespace vit::inline internal
