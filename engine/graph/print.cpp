#include "engine/graph/print.h"

#include <fmt/format.h>

#include <vector>

#include "engine/graph/schedule.h"

namespace vit::inline internal {

namespace {

std::string shape(Value value) {
    return fmt::format("[{}, {}]{}{}", value.rows, value.cols,
                       value.type == DType::bf16 ? " bf16"
                       : value.type == DType::i8 ? " int8"
                                                 : "",
                       value.panels ? " in panels" : "");
}

std::string details(const Graph& graph, const Node& node) {
    std::string text;
    if (const auto* norm = std::get_if<op::LayerNorm>(&node.op)) {
        if (norm->groups > 1) text = fmt::format(" of {} heads", norm->groups);
    } else if (const auto* linear = std::get_if<op::Linear>(&node.op)) {
        if (!linear->out_scale.empty()) text += " + layer_scale";
        if (linear->activation) text += " + activation";
        if (node.inputs.size() > 1) text += " + residual";
    } else if (const auto* select = std::get_if<op::SelectRows>(&node.op)) {
        text = fmt::format(" {} from {}", select->count, select->first);
    } else if (const auto* attention = std::get_if<op::Attention>(&node.op)) {
        text = fmt::format(" {} heads of {}, {} keys", attention->heads, attention->head_dim,
                           graph.value(node.inputs[1]).rows);
        if (attention->value_dim != attention->head_dim)
            text += fmt::format(", values of {}", attention->value_dim);
        if (attention->drop_rate > 0) text += fmt::format(", dropout {}", attention->drop_rate);
    } else if (const auto* dropout = std::get_if<op::Dropout>(&node.op)) {
        text = fmt::format(" {}", dropout->rate);
    } else if (const auto* path = std::get_if<op::DropPath>(&node.op)) {
        text = fmt::format(" {:.4g}", path->rate);
    }
    return kind_name(node.op) + text;
}

/// The name of the node that computes a value.
std::string source(const Graph& graph, const std::vector<int>& producer, ValueId id) {
    const int node = producer[static_cast<std::size_t>(id)];
    return node < 0 ? "image" : graph.nodes[static_cast<std::size_t>(node)].name;
}

}  // namespace

std::string print_text(const Graph& graph) {
    const std::vector<int> producer = producers(graph);
    const std::vector<Stage> stages = schedule(graph);
    std::string text = fmt::format("image {}: {} nodes in {} stages, {:.3f} GFLOP\n",
                                   shape(graph.value(graph.image)), graph.nodes.size(),
                                   stages.size(), flop(graph) * 1e-9);
    for (std::size_t s = 0; s < stages.size(); ++s) {
        text += fmt::format("stage {}: {} rows\n", s, stages[s].rows);
        for (int index : stages[s].nodes) {
            const Node& node = graph.nodes[static_cast<std::size_t>(index)];
            std::string inputs;
            for (ValueId id : node.inputs)
                inputs += (inputs.empty() ? "" : ", ") + source(graph, producer, id);
            text += fmt::format("  {:<24} {:<40} {:<16} {:>8.4f} GFLOP  <- {}\n", node.name,
                                details(graph, node), shape(graph.value(node.output)),
                                flop(graph, node) * 1e-9, inputs);
        }
    }
    return text;
}

std::string print_dot(const Graph& graph) {
    const std::vector<int> producer = producers(graph);
    std::string text = "digraph vit {\n  node [shape=box, fontname=\"sans-serif\"];\n";
    text += fmt::format("  image [label=\"image\\n{}\", shape=ellipse];\n",
                        shape(graph.value(graph.image)));
    const auto id = [&](ValueId value) {
        const int node = producer[static_cast<std::size_t>(value)];
        return node < 0 ? std::string("image") : fmt::format("n{}", node);
    };
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        const Node& node = graph.nodes[i];
        text += fmt::format("  n{} [label=\"{}\\n{}\\n{}\"];\n", i, node.name, details(graph, node),
                            shape(graph.value(node.output)));
        for (ValueId input : node.inputs) text += fmt::format("  {} -> n{};\n", id(input), i);
    }
    const auto result = [&](const char* name, ValueId value) {
        if (value != no_value)
            text += fmt::format("  {} [shape=ellipse];\n  {} -> {};\n", name, id(value), name);
    };
    result("logits", graph.logits);
    result("features", graph.features);
    result("tokens", graph.tokens);
    return text + "}\n";
}

}  // namespace vit::inline internal
