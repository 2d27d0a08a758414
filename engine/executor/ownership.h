// What a thread owns of a node, and how many bytes that needs. The plan reserves these bytes and
// the binding uses them, so both call the same functions.
#pragma once

#include "engine/executor/prepared_model.h"
#include "engine/executor/step.h"
#include "engine/graph/plan.h"
#include "engine/graph/schedule.h"

namespace vit::inline internal {

PatchGeometry patch_geometry(const Graph& graph, const op::PatchEmbed& patch);

/// Calls `f` with the attention kernels for values of this type.
template <class F>
auto with_attention(const KernelSet& k, DType type, F f) {
    return type == DType::f32 ? f(k.f32.attention) : f(k.bf16->attention);
}

/// Whether the linear of the patches adds its result to the rows of the table. It cannot where a
/// norm comes between the two.
bool accumulates(const op::Embed& embed);

/// The part of a linear's output that one thread owns.
struct Part {
    RowRange rows;
    Columns columns;
};
Part owned_part(const Graph& graph, const Node& node, const AnyLinear& linear, const Shares& shares,
                int thread);

/// The rows of a thread that are patches. Rows of prefix tokens come before them.
RowRange owned_patches(const Graph& graph, const Node& embed, std::int64_t patches,
                       const Shares& shares, int thread);

/// Bytes of a matrix in memory, rounded up to whole cache lines.
std::size_t bytes_of(const Rows& rows);
/// Whether the input of a linear must be in panels.
bool reads_panels(const AnyLinear& linear);

/// oneDNN writes its result without gaps between rows. A thread that owns only some columns
/// therefore computes them in its workspace and copies them to the output. Returns the bytes for
/// that, rounded up to whole cache lines; 0 where the thread owns all columns.
std::size_t bytes_apart(const Linear& linear, const Part& part, DType type);

/// What the planner needs to know about the operators: strides, packed sizes, workspaces. `images`:
/// in a stack.
StorageRules storage_rules(const Graph& graph, PreparedModel& model, const Shares& shares,
                           std::int64_t images);

}  // namespace vit::inline internal
