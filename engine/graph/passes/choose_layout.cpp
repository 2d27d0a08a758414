#include <algorithm>

#include "engine/graph/passes/passes.h"

namespace vit::inline internal {

namespace {

/// Columns of a panel. A head, or a group of a norm, must start at a multiple of this.
constexpr std::int64_t panel_columns = 32;

bool can_write(const Graph& graph, const Node& node) {
    if (const auto* norm = std::get_if<op::LayerNorm>(&node.op))
        return norm->groups == 1 ||
               graph.value(node.output).cols / norm->groups % panel_columns == 0;
    if (std::holds_alternative<op::Linear>(node.op))
        return graph.value(node.inputs[0]).type != DType::i8;
    return std::holds_alternative<op::Attention>(node.op) ||
           std::holds_alternative<op::Multiply>(node.op) ||
           std::holds_alternative<op::Round>(node.op);
}

bool can_read(const Node& node, std::size_t input) {
    if (const auto* attention = std::get_if<op::Attention>(&node.op))
        return input == 0 && attention->head_dim % panel_columns == 0;
    return input == 0 && std::holds_alternative<op::Linear>(node.op);
}

}  // namespace

Graph choose_layout(Graph graph) {
    graph.tiles = true;
    const auto value = [&](ValueId id) -> Value& {
        return graph.values[static_cast<std::size_t>(id)];
    };
    const auto is_view = [](const Node& node) {
        return std::holds_alternative<op::SelectRows>(node.op);
    };
    for (const Node& node : graph.nodes)
        value(node.output).panels =
            value(node.output).type == DType::bf16 && (is_view(node) || can_write(graph, node));
    for (ValueId id : graph.results()) value(id).panels = false;
    // A view has the layout of the value that it shows.
    for (bool changed = true; changed;) {
        changed = false;
        const auto clear = [&](ValueId id) {
            changed |= value(id).panels;
            value(id).panels = false;
        };
        for (const Node& node : graph.nodes)
            for (std::size_t i = 0; i < node.inputs.size(); ++i) {
                const ValueId input = node.inputs[i];
                if (is_view(node)) {
                    if (!value(input).panels || !value(node.output).panels) {
                        clear(input);
                        clear(node.output);
                    }
                } else if (!can_read(node, i)) {
                    clear(input);
                }
            }
    }
    return graph;
}

}  // namespace vit::inline internal
