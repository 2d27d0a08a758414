#include <algorithm>
#include <map>

#include "engine/graph/passes/passes.h"
#include "engine/graph/passes/rewrite.h"

namespace vit::inline internal {

namespace {

/// Inserts a Quantize node before the first reader, for each value that int8 linears read, and lets
/// these linears read its output.
void insert_quantize_nodes(Graph& graph, std::span<const std::string> weights) {
    const std::vector<int> producer = producers(graph);
    std::map<ValueId, ValueId> quantized;
    std::vector<Node> nodes;
    for (Node node : graph.nodes) {
        const auto* linear = std::get_if<op::Linear>(&node.op);
        if (linear != nullptr && std::ranges::binary_search(weights, linear->weight)) {
            const ValueId from = node.inputs[0];
            const auto [found, first] = quantized.try_emplace(from, no_value);
            if (first) {
                Value value = graph.value(from);
                value.type = DType::i8;
                found->second = graph.add_value(value);
                const int maker = producer[static_cast<std::size_t>(from)];
                nodes.push_back({graph.nodes[static_cast<std::size_t>(maker)].name + ".quantize",
                                 op::Quantize{},
                                 {from},
                                 found->second});
            }
            node.inputs[0] = found->second;
        }
        nodes.push_back(std::move(node));
    }
    graph.nodes = std::move(nodes);
}

/// Lets a norm whose result only a Quantize node reads write int8 itself.
void fuse_into_norms(Graph& graph) {
    const std::vector<int> uses = use_counts(graph), producer = producers(graph);
    std::vector<bool> dead(graph.nodes.size(), false);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        const Node& quantize = graph.nodes[i];
        if (!std::holds_alternative<op::Quantize>(quantize.op)) continue;
        const auto from = static_cast<std::size_t>(quantize.inputs[0]);
        if (producer[from] < 0 || uses[from] != 1) continue;
        Node& maker = graph.nodes[static_cast<std::size_t>(producer[from])];
        const auto* norm = std::get_if<op::LayerNorm>(&maker.op);
        if (norm == nullptr || norm->groups != 1) continue;
        maker.output = quantize.output;
        dead[i] = true;
    }
    erase_nodes(graph, dead);
}

}  // namespace

Graph quantize_linears(Graph graph, std::span<const std::string> weights) {
    if (weights.empty()) return graph;
    insert_quantize_nodes(graph, weights);
    fuse_into_norms(graph);
    return prune(graph);
}

}  // namespace vit::inline internal
