#include "engine/graph/passes/passes.h"
#include "engine/graph/passes/rewrite.h"

namespace vit::inline internal {

Graph remove_training_nodes(Graph graph) {
    for (Node& node : graph.nodes) {
        if (auto* attention = std::get_if<op::Attention>(&node.op)) attention->drop_rate = 0;
        if (std::holds_alternative<op::Dropout>(node.op) ||
            std::holds_alternative<op::DropPath>(node.op))
            replace_uses(graph, node.output, node.inputs[0]);
    }
    return prune(graph);
}

}  // namespace vit::inline internal
