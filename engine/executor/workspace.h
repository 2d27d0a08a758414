// How many bytes values and workspaces need. The plan reserves these bytes and the binding uses
// them, so both call the same functions.
#pragma once

#include "engine/executor/ownership.h"
#include "engine/graph/plan.h"

namespace vit::inline internal {

/// Calls `f` with the attention kernels for values of this type.
template <class F>
auto with_attention(const KernelSet& k, DType type, F f) {
    return type == DType::f32 ? f(k.f32.attention) : f(k.bf16->attention);
}

/// Whether the linear of the patches adds its result to the rows of the table. It cannot where a
/// norm comes between the two.
bool accumulates(const op::Embed& embed);
/// Whether the input of a linear must be in panels.
bool reads_panels(const AnyLinear& linear);

/// Temporary memory of one thread for one node: parts that follow each other, all rounded up to
/// whole cache lines. A part that the node does not need has 0 bytes.
struct Workspace {
    std::size_t input_bytes = 0;    ///< gathered patches, or the input copied to panels
    std::size_t output_bytes = 0;   ///< columns that are computed apart, see linear_workspace
    std::size_t patch_bytes = 0;    ///< one patch in float32, before it is rounded
    std::size_t scratch_bytes = 0;  ///< for the kernel, or for oneDNN

    std::size_t input() const { return 0; }
    std::size_t output() const { return input_bytes; }
    std::size_t patch() const { return output() + output_bytes; }
    std::size_t scratch() const { return patch() + patch_bytes; }
    std::size_t bytes() const { return scratch() + scratch_bytes; }
};

/// For a part of a linear. oneDNN writes its result without gaps between rows. A thread that owns
/// only some columns therefore computes them in its workspace and copies them to the output.
Workspace linear_workspace(const Graph& graph, const Node& node, AnyLinear& linear,
                           const Part& part);
/// For `patches` patches of an Embed node.
Workspace embed_workspace(const Graph& graph, const op::Embed& embed, AnyLinear& linear,
                          std::int64_t patches);

/// The gathered patches of an Embed node. They begin at `data`.
Rows gathered_patches(const Graph& graph, const op::Embed& embed, const AnyLinear& linear,
                      std::int64_t patches, std::byte* data);

/// What the planner needs to know about the operators: strides, packed sizes, workspaces. `images`:
/// in a stack.
StorageRules storage_rules(const Graph& graph, PreparedModel& model, const Shares& shares,
                           std::int64_t images);

}  // namespace vit::inline internal
