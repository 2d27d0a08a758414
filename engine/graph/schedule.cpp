#include "engine/graph/schedule.h"

#include <algorithm>

namespace vit {

namespace {

/// Whether the reader needs rows of input `i` that another thread may have made.
bool mixes(const Graph& graph, const Node& node, std::size_t i) {
    if (std::holds_alternative<op::Attention>(node.op)) return i > 0;
    return !row_local(node.op) || graph.value(node.inputs[i]).rows != graph.value(node.output).rows;
}

}  // namespace

std::vector<Stage> schedule(const Graph& graph) {
    std::vector<Stage> stages;
    std::vector<std::size_t> made_in(graph.values.size(), 0);
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
        const Node& node = graph.nodes[n];
        std::size_t at = 0;
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            if (node.inputs[i] == graph.image) continue;
            const std::size_t made = made_in[static_cast<std::size_t>(node.inputs[i])];
            at = std::max(at, made + (mixes(graph, node, i) ? 1 : 0));
        }
        const std::int64_t rows = graph.value(node.output).rows;
        while (at < stages.size() && stages[at].rows != rows) ++at;
        if (at >= stages.size()) {
            at = stages.size();
            stages.push_back({rows, {}});
        }
        stages[at].nodes.push_back(static_cast<int>(n));
        made_in[static_cast<std::size_t>(node.output)] = at;
    }
    return stages;
}

RowRange owned_rows(std::int64_t rows, int threads, int thread) {
    return {rows * thread / threads, rows * (thread + 1) / threads};
}

}  // namespace vit
