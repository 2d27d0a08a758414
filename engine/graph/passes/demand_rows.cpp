#include <algorithm>
#include <map>
#include <tuple>

#include "engine/graph/passes/passes.h"
#include "engine/graph/passes/rewrite.h"

namespace vit::inline internal {

namespace {

RowRange hull(RowRange a, RowRange b) {
    if (a.empty()) return b;
    if (b.empty()) return a;
    return {std::min(a.first, b.first), std::max(a.last, b.last)};
}

RowRange all(const Graph& graph, ValueId id) {
    return {0, graph.value(id).rows};
}

/// The rows of input `i` that `node` needs for the rows `out` of its output.
RowRange rows_read(const Graph& graph, const Node& node, std::size_t i, RowRange out) {
    if (row_local(node.op)) return out;
    if (std::holds_alternative<op::Attention>(node.op) && i == 0) return out;
    if (const auto* s = std::get_if<op::SelectRows>(&node.op))
        return {s->first + out.first, s->first + out.last};
    if (const auto* m = std::get_if<op::MeanRows>(&node.op)) return {m->first, m->first + m->count};
    if (const auto* m = std::get_if<op::MaxRows>(&node.op)) return {m->first, m->first + m->count};
    return all(graph, node.inputs[i]);
}

/// Whether the node can compute some rows of its output without the others.
bool can_shrink(const Op& op) {
    return row_local(op) || std::holds_alternative<op::Attention>(op) ||
           std::holds_alternative<op::SelectRows>(op);
}

std::vector<RowRange> demanded(const Graph& graph) {
    std::vector<RowRange> rows(graph.values.size());
    for (ValueId id : graph.results()) rows[static_cast<std::size_t>(id)] = all(graph, id);
    rows[static_cast<std::size_t>(graph.image)] = all(graph, graph.image);
    for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
        RowRange& out = rows[static_cast<std::size_t>(node->output)];
        if (!can_shrink(node->op)) out = all(graph, node->output);
        for (std::size_t i = 0; i < node->inputs.size(); ++i) {
            RowRange& in = rows[static_cast<std::size_t>(node->inputs[i])];
            in = hull(in, rows_read(graph, *node, i, out));
        }
    }
    return rows;
}

}  // namespace

Graph demand_rows(const Graph& graph) {
    const std::vector<RowRange> rows = demanded(graph);
    Graph out = graph;
    out.nodes.clear();
    for (std::size_t i = 0; i < out.values.size(); ++i)
        if (!rows[i].empty()) out.values[i].rows = rows[i].count();

    std::map<std::tuple<ValueId, std::int64_t, std::int64_t>, ValueId> selected;
    const auto read = [&](const std::string& reader, ValueId id, RowRange wanted) {
        const RowRange kept = rows[static_cast<std::size_t>(id)];
        if (wanted == kept) return id;
        ValueId& view =
            selected.try_emplace({id, wanted.first, wanted.last}, no_value).first->second;
        if (view == no_value)
            view =
                out.add(reader + ".rows", op::SelectRows{wanted.first - kept.first, wanted.count()},
                        {id}, wanted.count(), graph.value(id).cols, graph.value(id).type);
        return view;
    };
    for (Node node : graph.nodes) {
        const RowRange made = rows[static_cast<std::size_t>(node.output)];
        if (auto* select = std::get_if<op::SelectRows>(&node.op)) {
            select->first += made.first - rows[static_cast<std::size_t>(node.inputs[0])].first;
            select->count = made.count();
        } else if (auto* mean = std::get_if<op::MeanRows>(&node.op)) {
            mean->first -= rows[static_cast<std::size_t>(node.inputs[0])].first;
        } else if (auto* max = std::get_if<op::MaxRows>(&node.op)) {
            max->first -= rows[static_cast<std::size_t>(node.inputs[0])].first;
        } else {
            for (std::size_t i = 0; i < node.inputs.size(); ++i)
                node.inputs[i] = read(node.name, node.inputs[i], rows_read(graph, node, i, made));
        }
        out.nodes.push_back(std::move(node));
    }
    // A SelectRows that selects all remaining rows does nothing, so its readers read its input.
    for (Node& node : out.nodes)
        if (const auto* select = std::get_if<op::SelectRows>(&node.op))
            if (select->first == 0 && select->count == out.value(node.inputs[0]).rows)
                replace_uses(out, node.output, node.inputs[0]);
    return prune(out);
}

}  // namespace vit::inline internal
