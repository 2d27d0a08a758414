#include "engine/executor/ownership.h"

#include <algorithm>

#include "engine/base/rounding.h"

namespace vit::inline internal {

PatchGeometry patch_geometry(const Graph& graph, const op::PatchEmbed& patch) {
    return {graph.channels, graph.image_size.height, graph.image_size.width, patch.patch_height,
            patch.patch_width};
}

Part owned_part(const Graph& graph, const Node& node, const AnyLinear& linear, const Shares& shares,
                int thread) {
    const Value& out = graph.value(node.output);
    const int columns = linear_grid(out, shares.threads(), on_tiles(graph, node)).column_parts;
    // Neighbouring threads have the same rows and share the columns.
    const int first = thread / columns * columns, last = first + columns;
    const std::int64_t begin = shares.before(first), all = shares.before(last) - begin;
    if (all == 0) return {};
    const std::int64_t from = shares.before(thread) - begin, to = shares.before(thread + 1) - begin;
    const auto own_columns = [&](const auto& l) {
        if constexpr (std::is_same_v<decltype(l), const Linear&>)
            return l.columns(from, to, all, column_unit);
        else
            return l.columns(from, to, all);
    };
    return {
        {owned_rows(out.rows, shares, first).first, owned_rows(out.rows, shares, last - 1).last},
        std::visit(own_columns, linear)};
}

RowRange owned_patches(const Graph& graph, const Node& embed, std::int64_t patches,
                       const Shares& shares, int thread) {
    const std::int64_t rows = graph.value(embed.output).rows;
    const RowRange own = owned_rows(rows, shares, thread);
    const std::int64_t first = std::max(own.first, rows - patches);
    return {first, std::max(first, own.last)};
}

}  // namespace vit::inline internal
