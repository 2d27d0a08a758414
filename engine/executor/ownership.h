// What a thread owns of a node: some rows, and of some linears only some columns.
#pragma once

#include "engine/executor/prepared_model.h"
#include "engine/executor/step.h"
#include "engine/graph/schedule.h"

namespace vit::inline internal {

PatchGeometry patch_geometry(const Graph& graph, const op::PatchEmbed& patch);

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

}  // namespace vit::inline internal
