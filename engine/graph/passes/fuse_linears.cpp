#include "engine/graph/passes/passes.h"
#include "engine/graph/passes/rewrite.h"

namespace vit::inline internal {

namespace {

/// Returns `linear` with the work of `follower`, its only reader, added to it; or nothing where
/// that would change the result. `input`: which input of the follower the linear computes.
std::optional<Node> fused(const Node& linear, const Node& follower, std::size_t input) {
    Node result = linear;
    auto& op = std::get<op::Linear>(result.op);
    if (linear.inputs.size() > 1) return std::nullopt;  // nothing may follow the residual
    if (const auto* activation = std::get_if<op::Activate>(&follower.op)) {
        if (op.activation) return std::nullopt;
        op.activation = activation->function;
    } else if (const auto* scale = std::get_if<op::LayerScale>(&follower.op)) {
        if (op.activation || !op.out_scale.empty()) return std::nullopt;
        op.out_scale = scale->gamma;
    } else if (std::holds_alternative<op::Add>(follower.op)) {
        if (op.activation) return std::nullopt;  // the residual is added before it
        result.inputs.push_back(follower.inputs[1 - input]);
    } else {
        return std::nullopt;
    }
    result.output = follower.output;
    return result;
}

}  // namespace

Graph fuse_linears(Graph graph) {
    const std::vector<int> uses = use_counts(graph);
    std::vector<int> producer = producers(graph);
    std::vector<bool> dead(graph.nodes.size(), false);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        const Node follower = graph.nodes[i];
        // The residual's branch is the second input of its Add, so that input is tried first.
        for (std::size_t input = follower.inputs.size(); input-- > 0;) {
            const ValueId value = follower.inputs[input];
            const int made_by = producer[static_cast<std::size_t>(value)];
            if (made_by < 0 || uses[static_cast<std::size_t>(value)] != 1) continue;
            const Node& linear = graph.nodes[static_cast<std::size_t>(made_by)];
            if (!std::holds_alternative<op::Linear>(linear.op)) continue;
            if (std::optional<Node> node = fused(linear, follower, input)) {
                graph.nodes[i] = *std::move(node);
                dead[static_cast<std::size_t>(made_by)] = true;
                break;
            }
        }
    }
    erase_nodes(graph, dead);
    return prune(graph);
}

}  // namespace vit::inline internal
