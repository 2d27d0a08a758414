// Where every value lives while a graph runs: a pure function of sizes and lifetimes.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/graph/schedule.h"

namespace vit::inline internal {

/// A block of memory that is needed from step `first` to step `last`, both included.
struct Interval {
    int first = 0, last = 0;
    std::size_t bytes = 0;
};

struct Offsets {
    std::vector<std::size_t> at;  ///< of each interval
    std::size_t total = 0;
};

/// Places blocks so that no two that are alive at the same step overlap; largest first, each at the
/// lowest offset that fits. Offsets are multiples of 64 bytes.
Offsets assign_offsets(std::span<const Interval> intervals);

enum class Where {
    image,    ///< the caller's input
    arena,    ///< shared by the threads of one run: values that cross a barrier, and results
    scratch,  ///< a thread's own: values made and read by one thread within one stage
};

struct Placement {
    Where where = Where::image;
    std::size_t offset =
        0;  ///< in bytes, of the storage's first row (scratch: the thread's first row)
    std::int64_t row = 0;  ///< first row of the value within the storage
    /// What one image has of the storage, and the next image of a stack behind it: rows, or bytes
    /// of packed heads.
    std::int64_t image_rows = 0;
    std::size_t image_bytes = 0;
    std::int64_t stride = 0;  ///< elements from row to row, where they are not in panels
};

/// Storage sizes that the plan cannot know by itself.
struct StorageRules {
    /// Elements from row to row of a value of so many columns.
    std::function<std::int64_t(std::int64_t cols)> stride;
    /// Bytes of so many rows in panels.
    std::function<std::size_t(std::int64_t rows, std::int64_t cols)> panel_bytes;
    /// Bytes of a value that PackHeads makes.
    std::function<std::size_t(const op::PackHeads&, const Value& shape)> packed_bytes;
    /// Bytes that a thread needs for a node while it runs, the most of all threads (0: none).
    std::function<std::size_t(const Node&)> workspace;
};

struct Plan {
    std::vector<Placement> values;             ///< one a value
    std::vector<std::size_t> workspaces;       ///< one a node: offset in scratch
    std::vector<std::size_t> workspace_bytes;  ///< one a node
    /// Nodes that work in place: one input's storage becomes the output's. Linears with a residual
    /// add into that, and Add, Multiply and SubtractScaled change their first input.
    std::vector<bool> in_place;  ///< one a node
    std::size_t arena_bytes = 0;
    std::size_t scratch_bytes = 0;  ///< for each thread
};

/// `shares`: how threads share the rows of each stage. `images`: of a stack, which one thread runs.
Plan make_plan(const Graph& graph, const std::vector<Stage>& stages, const Shares& shares,
               const StorageRules& rules, std::int64_t images = 1);

}  // namespace vit::inline internal
