#pragma once

#include <vector>

#include "engine/executor/context.h"

namespace vit::inline internal {

/// Everything that the steps of one thread need.
struct Binding {
    const Graph& graph;
    const std::vector<Stage>& stages;
    PreparedModel& model;
    const Plan& plan;
    std::byte* arena;
    std::byte* scratch;
    const float* const* image;  ///< [images]
    std::int64_t images;        ///< in a stack; above 1 only where one thread runs all rows
    const Shares& shares;
    int thread;
};

/// The steps of one thread, stage by stage. A node has no step where the thread owns no part of it.
/// Throws Error(internal) with the name of a node that has no operator.
std::vector<std::vector<Step>> bind(const Binding& binding);

}  // namespace vit::inline internal
