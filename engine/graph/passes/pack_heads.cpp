#include "engine/graph/passes/passes.h"

namespace vit {

Graph pack_heads(const Graph& graph) {
    Graph out = graph;
    out.nodes.clear();
    for (Node node : graph.nodes) {
        if (const auto* a = std::get_if<op::Attention>(&node.op)) {
            for (std::size_t i : {1u, 2u}) {
                const Value shape = graph.value(node.inputs[i]);
                node.inputs[i] = out.add(node.name + (i == 1 ? ".pack_k" : ".pack_v"),
                                         op::PackHeads{a->heads, a->head_dim, i == 1},
                                         {node.inputs[i]}, shape.rows, shape.cols, shape.type);
            }
        }
        out.nodes.push_back(std::move(node));
    }
    return out;
}

}  // namespace vit
