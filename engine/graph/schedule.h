#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/graph/graph.h"

namespace vit::inline internal {

/// Nodes that run between two barriers. Their outputs have the same number of rows. A thread that
/// owns some of these rows computes them in all nodes without waiting for another thread. Where
/// `columns` is set, the nodes are linears that do not read each other's outputs, and a thread owns
/// a part of the grid of each.
struct Stage {
    std::int64_t rows = 0;
    std::vector<int> nodes;  ///< indices into Graph::nodes, in the order to run
    bool columns = false;
};

/// How threads share a linear's output: row_parts × column_parts parts, one per thread.
struct Grid {
    int row_parts = 1, column_parts = 1;
};

/// A thread gets a multiple of so many columns.
inline constexpr std::int64_t column_unit = 64;

/// Whether a linear runs on tiles.
bool on_tiles(const Graph& graph, const Node& linear);

/// Threads share only rows where each has many. Where each has few, reading all weights costs more
/// time than the products, so they share columns too. Only this function decides that.
Grid linear_grid(const Value& output, int threads, bool tiles);

/// How many images a thread runs at once, as a stack, where it has that many; at most most_stacked.
/// Where an image has few rows, reading the weights for each image takes longer than the products.
/// Only this function decides that.
std::int64_t stack_of(std::int64_t rows, bool tiles);
inline constexpr std::int64_t most_stacked = 16;

/// Cuts a graph into stages: before nodes that mix rows, and around linears whose columns are
/// split. The result depends only on the graph and the number of threads.
std::vector<Stage> schedule(const Graph& graph, int threads = 1);

/// How threads share work. The work of a thread is proportional to its parts.
class Shares {
  public:
    /// One part for each thread.
    explicit Shares(int threads);
    /// The parts of each thread. At least one must not be 0.
    explicit Shares(std::span<const std::int64_t> parts);

    /// Replaces the parts of the same threads. Allocates nothing.
    void assign(std::span<const std::int64_t> parts);

    int threads() const { return static_cast<int>(sums_.size()) - 1; }
    std::int64_t parts(int thread) const { return before(thread + 1) - before(thread); }
    /// The sum of the parts of all threads before this one.
    std::int64_t before(int thread) const { return sums_[static_cast<std::size_t>(thread)]; }

  private:
    std::vector<std::int64_t> sums_;
};

/// The rows that thread `thread` owns.
RowRange owned_rows(std::int64_t rows, const Shares& shares, int thread);

}  // namespace vit::inline internal
