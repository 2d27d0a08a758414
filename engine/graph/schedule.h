#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/graph/graph.h"

namespace vit::inline internal {

/// Nodes that run between two barriers. Every node makes the same number of rows, and a thread that
/// owns some of these rows carries them through all nodes without waiting for another thread.
/// Or, with `columns`, linears that read nothing of each other: a thread owns a part of the grid of
/// each.
struct Stage {
    std::int64_t rows = 0;
    std::vector<int> nodes;  ///< indices into Graph::nodes, in the order to run
    bool columns = false;
};

/// How threads share a linear's output: in row_parts × column_parts, one part a thread.
struct Grid {
    int row_parts = 1, column_parts = 1;
};

/// Columns are given to threads in units of so many, or of a multiple.
inline constexpr std::int64_t column_unit = 64;

/// Whether a linear runs on tiles.
bool on_tiles(const Graph& graph, const Node& linear);

/// Rows alone where each thread has many. Where it has few, reading all weights costs more than
/// the products, so that columns are split too. The one place where this is decided.
Grid linear_grid(const Value& output, int threads, bool tiles);

/// Images that one thread runs at once, as a stack, where it has that many: with few rows an image,
/// reading the weights for each takes longer than the products. The one place where this is
/// decided; at most most_stacked.
std::int64_t stack_of(std::int64_t rows, bool tiles);
inline constexpr std::int64_t most_stacked = 16;

/// Cuts a graph at the nodes that mix rows, and around linears whose columns are split. A pure
/// function of the graph and the number of threads.
std::vector<Stage> schedule(const Graph& graph, int threads = 1);

/// How work is shared by threads: a thread with more parts is given more of it.
class Shares {
  public:
    /// The same for each of `threads` threads.
    explicit Shares(int threads);
    /// Parts by thread, not all of them 0.
    explicit Shares(std::span<const std::int64_t> parts);

    /// Other parts for the same threads; allocates nothing.
    void assign(std::span<const std::int64_t> parts);

    int threads() const { return static_cast<int>(sums_.size()) - 1; }
    std::int64_t parts(int thread) const { return before(thread + 1) - before(thread); }
    /// Parts of all threads before this one.
    std::int64_t before(int thread) const { return sums_[static_cast<std::size_t>(thread)]; }

  private:
    std::vector<std::int64_t> sums_;
};

/// The rows [first, last) that thread `thread` owns.
struct RowRange {
    std::int64_t first = 0, last = 0;
    std::int64_t count() const { return last - first; }
};
RowRange owned_rows(std::int64_t rows, const Shares& shares, int thread);

}  // namespace vit::inline internal
