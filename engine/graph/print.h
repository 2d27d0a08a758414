#pragma once

#include <string>

#include "engine/graph/graph.h"

namespace vit::inline internal {

/// One line per node: name, kind, inputs, shape, GFLOP.
std::string print_text(const Graph& graph);

/// In the language of Graphviz.
std::string print_dot(const Graph& graph);

}  // namespace vit::inline internal
