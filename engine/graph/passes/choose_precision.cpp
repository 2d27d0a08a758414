#include <algorithm>

#include "engine/graph/passes/passes.h"

namespace vit::inline internal {

namespace {

/// Whether the node's operator can write bfloat16.
bool can_make(const Node& node) {
    if (const auto* attention = std::get_if<op::Attention>(&node.op))
        return attention->head_dim % 2 == 0;  // one instruction multiplies two neighbours
    if (std::holds_alternative<op::Multiply>(node.op)) return true;
    if (std::holds_alternative<op::Quantize>(node.op)) return true;  // int8 is narrower
    if (std::holds_alternative<op::Linear>(node.op)) return node.inputs.size() == 1;
    return std::holds_alternative<op::LayerNorm>(node.op);
}

/// Whether the node's operator can read bfloat16 as its input `i`.
bool can_read(const Node& node, std::size_t i) {
    if (std::holds_alternative<op::Attention>(node.op)) return can_make(node);
    if (std::holds_alternative<op::Quantize>(node.op)) return true;
    return std::holds_alternative<op::Linear>(node.op) && i == 0;
}

/// Which values can be bfloat16, one flag per value.
std::vector<bool> narrow_values(const Graph& graph) {
    std::vector<bool> narrow(graph.values.size(), false);
    const auto is_narrow = [&](ValueId id) { return narrow[static_cast<std::size_t>(id)]; };
    const auto set = [&](ValueId id, bool to) {
        const bool changed = is_narrow(id) != to;
        narrow[static_cast<std::size_t>(id)] = to;
        return changed;
    };
    bool before_pooling = true;
    for (const Node& node : graph.nodes) {
        set(node.output,
            std::holds_alternative<op::Round>(node.op) || (before_pooling && can_make(node)));
        before_pooling = before_pooling && node.output != graph.tokens;
    }
    for (const Node& node : graph.nodes)
        for (std::size_t i = 0; i < node.inputs.size(); ++i)
            if (!can_read(node, i)) set(node.inputs[i], false);
    // Kept values stay as they are in a run that does not keep them.
    for (ValueId id : {graph.logits, graph.features, graph.tokens})
        if (id != no_value) set(id, false);
    // The inputs and the output of attention have one type. The output of a linear is never
    // narrower than its input.
    for (bool changed = true; changed;) {
        changed = false;
        for (const Node& node : graph.nodes) {
            if (std::holds_alternative<op::Linear>(node.op) && !is_narrow(node.inputs[0]))
                changed |= set(node.output, false);
            if (!std::holds_alternative<op::Attention>(node.op)) continue;
            const bool all = is_narrow(node.output) && std::ranges::all_of(node.inputs, is_narrow);
            for (ValueId id : node.inputs) changed |= set(id, all);
            changed |= set(node.output, all);
        }
    }
    return narrow;
}

/// Finds the first linear with many rows that reads float32, and rounds its input. Returns false
/// where there is none.
bool round_one_input(Graph& graph, const std::vector<bool>& narrow) {
    const auto wide = std::ranges::find_if(graph.nodes, [&](const Node& node) {
        return std::holds_alternative<op::Linear>(node.op) && graph.value(node.output).rows > 1 &&
               !narrow[static_cast<std::size_t>(node.inputs[0])];
    });
    if (wide == graph.nodes.end()) return false;
    const ValueId from = wide->inputs[0], to = graph.add_value(graph.value(from));
    const auto maker = std::ranges::find(graph.nodes, from, &Node::output);
    for (Node& node : graph.nodes)
        if (std::holds_alternative<op::Linear>(node.op) && node.inputs[0] == from)
            node.inputs[0] = to;
    graph.nodes.insert(wide, {maker->name + ".round", op::Round{}, {from}, to});
    return true;
}

}  // namespace

Graph choose_precision(Graph graph, DType precision) {
    if (precision == DType::f32) return graph;
    std::vector<bool> narrow = narrow_values(graph);
    while (round_one_input(graph, narrow)) narrow = narrow_values(graph);
    for (std::size_t i = 0; i < narrow.size(); ++i)
        if (narrow[i] && graph.values[i].type != DType::i8) graph.values[i].type = precision;
    for (Node& node : graph.nodes)
        if (auto* embed = std::get_if<op::Embed>(&node.op)) embed->type = precision;
    return graph;
}

}  // namespace vit::inline internal
