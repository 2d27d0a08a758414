#include "engine/graph/schedule.h"

#include <algorithm>
#include <numeric>

#include "engine/base/rounding.h"

namespace vit::inline internal {

namespace {

/// Measured costs of a linear (docs/performance-experiments.md).
struct Costs {
    std::int64_t few_rows;      ///< columns are split up to this many rows per thread
    std::int64_t rows_to_read;  ///< multiplying so many rows takes as long as reading the weights
    std::int64_t stacked_rows;  ///< rows of the largest stack of images
};
constexpr Costs onednn_costs{32, 24, 200}, tile_costs{128, 120, 416};

const Costs& costs(bool tiles) {
    return tiles ? tile_costs : onednn_costs;
}

bool split_by_columns(const Graph& graph, const Node& node, int threads) {
    return std::holds_alternative<op::Linear>(node.op) &&
           linear_grid(graph.value(node.output), threads, on_tiles(graph, node)).column_parts > 1;
}

/// Whether the node needs rows of input `i` that another thread may have computed.
bool mixes(const Graph& graph, const Node& node, std::size_t i) {
    if (std::holds_alternative<op::Attention>(node.op)) return i > 0;
    return !row_local(node.op) || graph.value(node.inputs[i]).rows != graph.value(node.output).rows;
}

}  // namespace

bool on_tiles(const Graph& graph, const Node& linear) {
    return graph.tiles && graph.value(linear.inputs[0]).type == DType::bf16;
}

Grid linear_grid(const Value& output, int threads, bool tiles) {
    const auto [few_rows, rows_to_read, stacked_rows] = costs(tiles);
    Grid best{threads, 1};
    if (output.rows > few_rows * threads) return best;
    const std::int64_t units = divide_up(output.cols, column_unit);
    std::int64_t least = 0;
    for (int columns = 1; columns <= threads; ++columns) {
        if (threads % columns != 0) continue;
        const std::int64_t time =
            (divide_up(output.rows, threads / columns) + rows_to_read) * divide_up(units, columns);
        if (columns > 1 && time >= least) continue;
        least = time;
        best = {threads / columns, columns};
    }
    return best;
}

std::int64_t stack_of(std::int64_t rows, bool tiles) {
    return std::clamp<std::int64_t>(costs(tiles).stacked_rows / rows, 1, most_stacked);
}

std::vector<Stage> schedule(const Graph& graph, int threads) {
    std::vector<Stage> stages;
    std::vector<std::size_t> made_in(graph.values.size(), 0);
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
        const Node& node = graph.nodes[n];
        const bool columns = split_by_columns(graph, node, threads);
        std::size_t at = 0;
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            if (node.inputs[i] == graph.image) continue;
            const std::size_t made = made_in[static_cast<std::size_t>(node.inputs[i])];
            const bool waits = columns || stages[made].columns || mixes(graph, node, i);
            at = std::max(at, made + (waits ? 1 : 0));
        }
        const std::int64_t rows = graph.value(node.output).rows;
        while (at < stages.size() && (stages[at].rows != rows || stages[at].columns != columns))
            ++at;
        if (at >= stages.size()) {
            at = stages.size();
            stages.push_back({rows, {}, columns});
        }
        stages[at].nodes.push_back(static_cast<int>(n));
        made_in[static_cast<std::size_t>(node.output)] = at;
    }
    return stages;
}

Shares::Shares(int threads) : sums_(static_cast<std::size_t>(threads) + 1) {
    std::iota(sums_.begin(), sums_.end(), std::int64_t{0});
}

Shares::Shares(std::span<const std::int64_t> parts) : sums_(parts.size() + 1) {
    assign(parts);
}

void Shares::assign(std::span<const std::int64_t> parts) {
    std::partial_sum(parts.begin(), parts.end(), sums_.begin() + 1);
}

RowRange owned_rows(std::int64_t rows, const Shares& shares, int thread) {
    const std::int64_t all = shares.before(shares.threads());
    return {rows * shares.before(thread) / all, rows * shares.before(thread + 1) / all};
}

}  // namespace vit::inline internal
