#pragma once

#include <vector>

#include "engine/executor/context.h"

namespace vit::inline internal {

/// Everything that one thread's steps are bound to.
struct Binding {
    const Graph& graph;
    const std::vector<Stage>& stages;
    PreparedModel& model;
    const Plan& plan;
    std::byte* arena;
    std::byte* scratch;
    const float* const* image;  ///< [images]
    std::int64_t images;        ///< of a stack; more than one only where one thread runs all rows
    const Shares& shares;
    int thread;
};

/// The steps of one thread, stage by stage. Nodes of which the thread owns nothing have none.
/// Throws Error(internal) naming a node that the executor has no operator for.
std::vector<std::vector<Step>> bind(const Binding& binding);

}  // namespace vit::inline internal
