#include "engine/executor/workspace.h"

#include <algorithm>

#include "engine/base/rounding.h"

namespace vit::inline internal {

namespace {

std::size_t panel_bytes(std::int64_t rows, std::int64_t cols) {
    constexpr std::int64_t panel = kernels::panel_rows;
    return static_cast<std::size_t>(round_up(rows, panel) * round_up(cols, panel)) *
           sizeof(kernels::BFloat16);
}

std::size_t row_bytes(std::int64_t rows, std::int64_t stride, DType type) {
    return round_up(static_cast<std::size_t>(rows * stride) * item_size(type), 64);
}

/// The bytes for the kernel, or for oneDNN.
std::size_t scratch_of(AnyLinear& any, std::int64_t rows, bool accumulate, Columns columns) {
    return std::visit(
        [&]<class L>(L& linear) {
            if constexpr (std::is_same_v<L, Linear>)
                return linear.scratchpad_bytes(rows, accumulate, columns);
            else if constexpr (std::is_same_v<L, Int8Linear>)
                return linear.workspace_bytes(rows);
            else
                return linear.workspace_bytes(rows, columns);
        },
        any);
}

/// The largest workspace that any thread needs for a linear. It is not always the one with the most
/// rows. A step computes the rows of one image, or of all images of a stack.
std::size_t largest_workspace(const Graph& graph, const Node& node, AnyLinear& linear,
                              const Shares& shares, std::int64_t images) {
    std::size_t most = 0;
    for (int t = 0; t < shares.threads(); ++t) {
        const Part part = owned_part(graph, node, linear, shares, t);
        if (part.rows.count() == 0 || part.columns.count() == 0) continue;
        for (const std::int64_t together : {std::int64_t{1}, images}) {
            const Part rows{{part.rows.first, part.rows.last * together}, part.columns};
            most = std::max(most, linear_workspace(graph, node, linear, rows).bytes());
        }
    }
    return most;
}

std::size_t largest_workspace(const Graph& graph, const Node& node, const op::Embed& embed,
                              AnyLinear& linear, const Shares& shares) {
    const std::int64_t patches = patch_geometry(graph, embed.patch).patches();
    std::size_t most = 0;
    for (int t = 0; t < shares.threads(); ++t)
        if (const auto own = owned_patches(graph, node, patches, shares, t); own.count() > 0)
            most = std::max(most, embed_workspace(graph, embed, linear, own.count()).bytes());
    return most;
}

}  // namespace

bool accumulates(const op::Embed& embed) {
    return !embed.norm;
}

bool reads_panels(const AnyLinear& linear) {
    return std::holds_alternative<FusedLinear<kernels::BFloat16>>(linear);
}

Workspace linear_workspace(const Graph& graph, const Node& node, AnyLinear& any, const Part& part) {
    const Value &in = graph.value(node.inputs[0]), &out = graph.value(node.output);
    const std::int64_t rows = part.rows.count();
    Workspace workspace;
    if (reads_panels(any) && !in.panels) workspace.input_bytes = panel_bytes(rows, in.cols);
    if (const auto* linear = std::get_if<Linear>(&any);
        linear != nullptr && part.columns.count() != linear->columns().count())
        workspace.output_bytes = row_bytes(rows, linear->stride(part.columns), out.type);
    workspace.scratch_bytes = scratch_of(any, rows, node.inputs.size() > 1, part.columns);
    return workspace;
}

Rows gathered_patches(const Graph& graph, const op::Embed& embed, const AnyLinear& linear,
                      std::int64_t patches, std::byte* data) {
    const std::int64_t cols = patch_geometry(graph, embed.patch).patch_floats();
    return {data, patches, cols, row_stride(cols), embed.type, reads_panels(linear)};
}

Workspace embed_workspace(const Graph& graph, const op::Embed& embed, AnyLinear& any,
                          std::int64_t patches) {
    const Rows gathered = gathered_patches(graph, embed, any, patches, nullptr);
    Workspace workspace;
    workspace.input_bytes = gathered.panels ? panel_bytes(patches, gathered.cols)
                                            : row_bytes(patches, gathered.stride, gathered.type);
    if (embed.type != DType::f32) workspace.patch_bytes = row_bytes(1, gathered.stride, DType::f32);
    const Columns columns = std::visit([](const auto& l) { return l.columns(); }, any);
    workspace.scratch_bytes = scratch_of(any, patches, accumulates(embed), columns);
    return workspace;
}

StorageRules storage_rules(const Graph& graph, PreparedModel& model, const Shares& shares,
                           std::int64_t images) {
    const KernelSet& kernels = model.kernels();
    StorageRules rules;
    rules.stride = [](std::int64_t cols, DType type) {
        return type == DType::i8
                   ? static_cast<std::int64_t>(kernels::int8_stride(static_cast<std::size_t>(cols)))
                   : row_stride(cols);
    };
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
        if (const auto* op = std::get_if<op::Linear>(&node.op))
            return largest_workspace(graph, node, model.linear(op->weight), shares, images);
        if (const auto* embed = std::get_if<op::Embed>(&node.op))
            return largest_workspace(graph, node, *embed, model.linear(embed->patch.weight),
                                     shares);
        if (const auto* attention = std::get_if<op::Attention>(&node.op)) {
            const auto keys = static_cast<std::size_t>(graph.value(node.inputs[1]).rows),
                       head_dim = static_cast<std::size_t>(attention->head_dim);
            return with_attention(kernels, graph.value(node.output).type, [&](const auto& k) {
                return sizeof(float) * k.workspace(keys, head_dim);
            });
        }
        // A row of a norm before it is quantised.
        if (const Value& out = graph.value(node.output);
            std::holds_alternative<op::LayerNorm>(node.op) && out.type == DType::i8)
            return static_cast<std::size_t>(row_stride(out.cols)) * sizeof(float);
        return 0;
    };
    return rules;
}

}  // namespace vit::inline internal
