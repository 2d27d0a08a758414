#include "engine/graph/passes/passes.h"
#include "engine/graph/passes/rewrite.h"

namespace vit::inline internal {

namespace {

/// Index of the only reader of `value`, or -1.
int only_reader(const Graph& graph, const std::vector<int>& uses, ValueId value) {
    if (uses[static_cast<std::size_t>(value)] != 1) return -1;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
        for (ValueId input : graph.nodes[i].inputs)
            if (input == value) return static_cast<int>(i);
    return -1;
}

/// Adds the work of `op` to `embed`. Returns false where that is not possible.
bool take(op::Embed& embed, const Op& op) {
    if (const auto* norm = std::get_if<op::LayerNorm>(&op)) {
        if (embed.norm || !embed.tokens.empty() || !embed.table.empty()) return false;
        embed.norm = *norm;
    } else if (const auto* position = std::get_if<op::AddPosition>(&op)) {
        if (!embed.table.empty()) return false;
        embed.table = position->table;
        embed.table_has_prefix = !embed.tokens.empty();
    } else if (const auto* prefix = std::get_if<op::PrependTokens>(&op)) {
        if (!embed.tokens.empty()) return false;
        embed.tokens = prefix->tokens;
    } else {
        return false;
    }
    return true;
}

}  // namespace

Graph fuse_embedding(Graph graph) {
    const std::vector<int> uses = use_counts(graph);
    std::vector<bool> dead(graph.nodes.size(), false);
    for (Node& node : graph.nodes) {
        const auto* patch = std::get_if<op::PatchEmbed>(&node.op);
        if (!patch) continue;
        op::Embed embed{*patch, {}, {}, "", false};
        ValueId last = node.output;
        for (int next; (next = only_reader(graph, uses, last)) >= 0;) {
            const Node& reader = graph.nodes[static_cast<std::size_t>(next)];
            if (!take(embed, reader.op)) break;
            last = reader.output;
            dead[static_cast<std::size_t>(next)] = true;
        }
        node = Node{"embed", embed, node.inputs, last};
    }
    erase_nodes(graph, dead);
    return prune(graph);
}

}  // namespace vit::inline internal
