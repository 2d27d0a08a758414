// What a thread owns of a node, and the bytes that this takes: the same for the plan, which
// reserves them, and for the binding, which uses them.
#pragma once

#include "engine/executor/prepared_model.h"
#include "engine/executor/step.h"
#include "engine/graph/plan.h"
#include "engine/graph/schedule.h"

namespace vit::inline internal {

PatchGeometry patch_geometry(const Graph& graph, const op::PatchEmbed& patch);

/// Calls `f` with the attention kernels of a value's type.
template <class F>
auto with_attention(const KernelSet& k, DType type, F f) {
    return type == DType::f32 ? f(k.f32.attention) : f(k.bf16->attention);
}

/// Whether the patches' linear adds to the rows of the table; a norm stands between the two.
bool accumulates(const op::Embed& embed);

/// What one thread owns of a linear's output.
struct Part {
    RowRange rows;
    Columns columns;
};
Part owned_part(const Graph& graph, const Node& node, const AnyLinear& linear, const Shares& shares,
                int thread);

/// Rows of a thread that are patches; prefix tokens come before these.
RowRange owned_patches(const Graph& graph, const Node& embed, std::int64_t patches,
                       const Shares& shares, int thread);

/// Of a matrix in memory, in whole cache lines.
std::size_t bytes_of(const Rows& rows);
/// Whether a linear's input must lie in panels.
bool reads_panels(const AnyLinear& linear);

/// oneDNN writes whole rows, so that some columns of a row are made apart, and copied; the bytes
/// for that, in whole cache lines.
std::size_t bytes_apart(const Linear& linear, const Part& part, DType type);

/// What the planner must know of the operators: strides, packed sizes, workspaces. `images`: of a
/// stack.
StorageRules storage_rules(const Graph& graph, PreparedModel& model, const Shares& shares,
                           std::int64_t images);

}  // namespace vit::inline internal
