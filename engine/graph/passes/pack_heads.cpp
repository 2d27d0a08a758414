#include <map>
#include <tuple>

#include "engine/graph/passes/passes.h"

namespace vit::inline internal {

Graph pack_heads(const Graph& graph) {
    Graph out = graph;
    out.nodes.clear();
    // The two softmaxes of differential attention share their values, which are packed once.
    std::map<std::tuple<ValueId, std::int64_t, bool>, ValueId> packed;
    for (Node node : graph.nodes) {
        if (const auto* a = std::get_if<op::Attention>(&node.op)) {
            for (std::size_t i : {1u, 2u}) {
                const bool keys = i == 1;
                ValueId& made =
                    packed.try_emplace({node.inputs[i], a->heads, keys}, no_value).first->second;
                if (made == no_value) {
                    const Value shape = graph.value(node.inputs[i]);
                    made = out.add(node.name + (keys ? ".pack_k" : ".pack_v"),
                                   op::PackHeads{a->heads, keys ? a->head_dim : a->value_dim, keys},
                                   {node.inputs[i]}, shape.rows, shape.cols, shape.type);
                }
                node.inputs[i] = made;
            }
        }
        out.nodes.push_back(std::move(node));
    }
    return out;
}

}  // namespace vit::inline internal
