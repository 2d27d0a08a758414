// Decides where every value is stored while a graph runs, from sizes and lifetimes only.
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
    std::vector<std::size_t> at;  ///< offset of each interval
    std::size_t total = 0;
};

/// Assigns offsets so that two blocks that are needed at the same step never overlap. The largest
/// block is placed first, and each block gets the lowest offset that fits. Offsets are multiples of
/// 64 bytes.
Offsets assign_offsets(std::span<const Interval> intervals);

enum class Where {
    image,    ///< the caller's input
    arena,    ///< shared by the threads of one run: results, and values that cross a barrier
    scratch,  ///< one for each thread: values that it writes and reads within one stage
};

struct Placement {
    Where where = Where::image;
    std::size_t offset =
        0;  ///< in bytes, of the storage's first row (scratch: the thread's first row)
    std::int64_t row = 0;  ///< first row of the value within the storage
    /// The size of one image in the storage: in rows, or in bytes for packed heads. The next image
    /// of a stack follows it.
    std::int64_t image_rows = 0;
    std::size_t image_bytes = 0;
    /// Elements from one row to the next, where the rows are not in panels.
    std::int64_t stride = 0;
};

/// Sizes that the planner has to ask for.
struct StorageRules {
    /// Elements from one row to the next, for a value with `cols` columns of this type.
    std::function<std::int64_t(std::int64_t cols, DType type)> stride;
    /// Bytes of `rows` rows in panels.
    std::function<std::size_t(std::int64_t rows, std::int64_t cols)> panel_bytes;
    /// Bytes of the output of PackHeads.
    std::function<std::size_t(const op::PackHeads&, const Value& shape)> packed_bytes;
    /// Bytes of temporary memory that a thread needs for a node, the maximum over all threads; 0:
    /// none.
    std::function<std::size_t(const Node&)> workspace;
};

struct Plan {
    std::vector<Placement> values;        ///< one per value
    std::vector<std::size_t> workspaces;  ///< one per node: offset in scratch
    /// Nodes that work in place: the output has the storage of an input. A Linear with a residual
    /// adds to the residual. Add, Multiply and SubtractScaled overwrite their first input.
    std::vector<bool> in_place;  ///< one per node
    std::size_t arena_bytes = 0;
    std::size_t scratch_bytes = 0;  ///< for each thread
};

/// `shares`: how the threads share the rows of each stage. `images`: in a stack, which one thread
/// runs.
Plan make_plan(const Graph& graph, const std::vector<Stage>& stages, const Shares& shares,
               const StorageRules& rules, std::int64_t images = 1);

}  // namespace vit::inline internal
