#include "engine/graph/passes/passes.h"

namespace vit {

namespace {

/// The only reader of `value`, or nullptr.
const Node* only_reader(const Graph& graph, const std::vector<int>& uses, ValueId value) {
    if (uses[static_cast<std::size_t>(value)] != 1) return nullptr;
    for (const Node& node : graph.nodes)
        for (ValueId input : node.inputs)
            if (input == value) return &node;
    return nullptr;
}

}  // namespace

Graph fuse_embedding(Graph graph) {
    const std::vector<int> uses = use_counts(graph);
    for (Node& node : graph.nodes) {
        const auto* patch = std::get_if<op::PatchEmbed>(&node.op);
        if (!patch) continue;
        op::Embed embed{*patch, {}, "", true};
        ValueId last = node.output;
        for (const Node* next; (next = only_reader(graph, uses, last)); last = next->output) {
            const auto* position = std::get_if<op::AddPosition>(&next->op);
            const auto* prefix = std::get_if<op::PrependTokens>(&next->op);
            if (position && embed.table.empty()) {
                embed.table = position->table;
                embed.table_has_prefix = !embed.tokens.empty();
            } else if (prefix && embed.tokens.empty()) {
                embed.tokens = prefix->tokens;
            } else {
                break;
            }
        }
        if (embed.table.empty()) continue;
        node = Node{"embed", embed, node.inputs, last};
        // The nodes in between made `last` and what leads to it; the new node alone makes it now.
        std::erase_if(graph.nodes, [&](const Node& other) {
            return (other.output == last && !std::holds_alternative<op::Embed>(other.op)) ||
                   ((std::holds_alternative<op::AddPosition>(other.op) ||
                     std::holds_alternative<op::PrependTokens>(other.op)) &&
                    other.output != last);
        });
        break;
    }
    return prune(graph);
}

}  // namespace vit
