#include "engine/executor/ownership.h"

#include <algorithm>

#include "engine/base/rounding.h"

namespace vit::inline internal {

namespace {

std::size_t panel_bytes(std::int64_t rows, std::int64_t cols) {
    constexpr std::int64_t panel = kernels::panel_rows;
    return static_cast<std::size_t>(round_up(rows, panel) * round_up(cols, panel)) *
           sizeof(kernels::BFloat16);
}

}  // namespace

PatchGeometry patch_geometry(const Graph& graph, const op::PatchEmbed& patch) {
    return {graph.channels, graph.image_size.height, graph.image_size.width, patch.patch_height,
            patch.patch_width};
}

bool accumulates(const op::Embed& embed) {
    return !embed.norm;
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

bool reads_panels(const AnyLinear& linear) {
    return std::holds_alternative<FusedLinear<kernels::BFloat16>>(linear);
}

std::size_t bytes_of(const Rows& rows) {
    if (rows.panels) return panel_bytes(rows.count, rows.cols);
    return round_up(static_cast<std::size_t>(rows.count * rows.stride) * item_size(rows.type), 64);
}

std::size_t bytes_apart(const Linear& linear, const Part& part, DType type) {
    if (part.columns.count() == linear.columns().count()) return 0;
    const auto bytes =
        static_cast<std::size_t>(part.rows.count() * linear.stride(part.columns)) * item_size(type);
    return round_up(bytes, 64);
}

namespace {

/// Bytes that one thread needs for its part of a linear, beside inputs, outputs and weights.
std::size_t workspace_of(const Graph& graph, const Node& node, Linear& linear, const Part& part) {
    return bytes_apart(linear, part, graph.value(node.output).type) +
           linear.scratchpad_bytes(part.rows.count(), node.inputs.size() > 1, part.columns);
}
template <class T>
std::size_t workspace_of(const Graph& graph, const Node& node, const FusedLinear<T>& linear,
                         const Part& part) {
    const Value& in = graph.value(node.inputs[0]);
    const bool copied = FusedLinear<T>::in_panels && !in.panels;
    return (copied ? panel_bytes(part.rows.count(), in.cols) : 0) +
           linear.workspace_bytes(part.rows.count(), part.columns);
}

/// The same for the linear of the patches, without the gathered patches.
std::size_t patches_workspace(AnyLinear& any, std::int64_t patches, bool accumulate) {
    const auto of = [&](auto& linear) {
        if constexpr (std::is_same_v<decltype(linear), Linear&>)
            return linear.scratchpad_bytes(patches, accumulate);
        else
            return linear.workspace_bytes(patches, linear.columns());
    };
    return std::visit(of, any);
}

}  // namespace

StorageRules storage_rules(const Graph& graph, PreparedModel& model, const Shares& shares,
                           std::int64_t images) {
    const KernelSet& kernels = model.kernels();
    StorageRules rules;
    rules.stride = row_stride;
    rules.panel_bytes = panel_bytes;
    rules.packed_bytes = [&kernels](const op::PackHeads& p, const Value& shape) {
        const auto keys = static_cast<std::size_t>(shape.rows),
                   head_dim = static_cast<std::size_t>(p.head_dim);
        return with_attention(kernels, shape.type, [&](const auto& k) {
            return static_cast<std::size_t>(p.heads) *
                   (p.keys ? k.packed_keys(keys, head_dim) : k.packed_values(keys, head_dim));
        });
    };
    rules.workspace = [&graph, &model, &kernels, &shares, images](const Node& node) -> std::size_t {
        std::size_t most = 0;  // the maximum is not always at the most rows
        if (const auto* op = std::get_if<op::Linear>(&node.op)) {
            AnyLinear& any = model.linear(op->weight);
            for (int t = 0; t < shares.threads(); ++t) {
                const Part part = owned_part(graph, node, any, shares, t);
                if (part.rows.count() == 0 || part.columns.count() == 0) continue;
                for (const std::int64_t together : {std::int64_t{1}, images}) {
                    const Part rows{{part.rows.first, part.rows.last * together}, part.columns};
                    const auto of = [&](auto& linear) {
                        return workspace_of(graph, node, linear, rows);
                    };
                    most = std::max(most, std::visit(of, any));
                }
            }
            return most;
        }
        if (const auto* embed = std::get_if<op::Embed>(&node.op)) {
            AnyLinear& any = model.linear(embed->patch.weight);
            const PatchGeometry geometry = patch_geometry(graph, embed->patch);
            const std::int64_t cols = geometry.patch_floats(), stride = row_stride(cols);
            for (int t = 0; t < shares.threads(); ++t) {
                const std::int64_t count =
                    owned_patches(graph, node, geometry.patches(), shares, t).count();
                if (count == 0) continue;
                const std::size_t gathered =
                    bytes_of({nullptr, count, cols, stride, embed->type, reads_panels(any)});
                most =
                    std::max(most, gathered + patches_workspace(any, count, accumulates(*embed)));
            }
            return most + static_cast<std::size_t>(stride) * sizeof(float);
        }
        if (std::holds_alternative<op::Attention>(node.op))
            return with_attention(kernels, graph.value(node.output).type, [&](const auto& k) {
                return sizeof(float) *
                       k.workspace(
                           static_cast<std::size_t>(graph.value(node.inputs[1]).rows),
                           static_cast<std::size_t>(std::get<op::Attention>(node.op).head_dim));
            });
        return 0;
    };
    return rules;
}

}  // namespace vit::inline internal
