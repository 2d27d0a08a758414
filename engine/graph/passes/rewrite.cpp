#include "engine/graph/passes/rewrite.h"

#include <algorithm>

#include "engine/graph/passes/passes.h"

namespace vit::inline internal {

void replace_uses(Graph& graph, ValueId from, ValueId to) {
    for (Node& node : graph.nodes) std::ranges::replace(node.inputs, from, to);
    for (ValueId* result : {&graph.logits, &graph.features, &graph.tokens})
        if (*result == from) *result = to;
    std::ranges::replace(graph.kept, from, to);
}

void erase_nodes(Graph& graph, const std::vector<bool>& dead) {
    std::vector<Node> kept;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
        if (!dead[i]) kept.push_back(std::move(graph.nodes[i]));
    graph.nodes = std::move(kept);
}

Graph prune(const Graph& graph) {
    std::vector<bool> needed(graph.values.size(), false);
    const auto need = [&](ValueId id) { needed[static_cast<std::size_t>(id)] = true; };
    const auto is_needed = [&](ValueId id) { return needed[static_cast<std::size_t>(id)]; };
    need(graph.image);
    for (ValueId id : graph.results()) need(id);
    for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node)
        if (is_needed(node->output))
            for (ValueId input : node->inputs) need(input);

    Graph out;
    out.channels = graph.channels;
    out.image_size = graph.image_size;
    std::vector<ValueId> renamed(graph.values.size(), no_value);
    for (std::size_t i = 0; i < graph.values.size(); ++i)
        if (needed[i]) renamed[i] = out.add_value(graph.values[i]);
    const auto rename = [&](ValueId id) {
        return id == no_value ? no_value : renamed[static_cast<std::size_t>(id)];
    };
    out.image = rename(graph.image);
    out.logits = rename(graph.logits);
    out.features = rename(graph.features);
    out.tokens = rename(graph.tokens);
    for (ValueId id : graph.kept) out.kept.push_back(rename(id));
    for (Node node : graph.nodes) {
        if (!is_needed(node.output)) continue;
        for (ValueId& input : node.inputs) input = rename(input);
        node.output = rename(node.output);
        out.nodes.push_back(std::move(node));
    }
    return out;
}

Graph keep_results(Graph graph, const Demand& demand) {
    if (!demand.logits) graph.logits = no_value;
    if (!demand.features) graph.features = no_value;
    if (!demand.tokens) graph.tokens = no_value;
    return prune(graph);
}

Graph optimise(Graph graph, const Demand& demand, const Target& target) {
    graph = remove_training_nodes(std::move(graph));
    graph = fuse_embedding(std::move(graph));
    graph = fuse_linears(std::move(graph));
    // These passes run before results are dropped: the bits of a result must not depend on which
    // other results a run computes.
    graph = quantize_linears(std::move(graph), target.int8_weights);
    graph = choose_precision(std::move(graph), target.precision);
    graph = keep_results(std::move(graph), demand);
    graph = demand_rows(graph);
    graph = pack_heads(graph);
    return target.tiles ? choose_layout(std::move(graph)) : graph;
}

}  // namespace vit::inline internal
