// Rewrites of the graph. Each is a pure function, in the file of its name. None changes what a
// graph computes: the reference evaluator gives the same results before and after.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/graph/graph.h"

namespace vit::inline internal {

/// Which results a run needs.
struct Demand {
    bool logits = true;
    bool features = false;
    bool tokens = false;
    bool operator==(const Demand&) const = default;
};

/// Removes Dropout and DropPath, which do nothing at inference, and attention's dropout.
Graph remove_training_nodes(Graph graph);

/// Fuses patch embedding, its norm, prefix tokens and position table into one Embed node.
Graph fuse_embedding(Graph graph);

/// Fuses LayerScale, activation and residual into the Linear before them.
Graph fuse_linears(Graph graph);

/// Lets the linears with these weights (names in order) read int8: each row of their input is
/// quantised with a scale of its own, by the norm that computes it or by a Quantize node.
Graph quantize_linears(Graph graph, std::span<const std::string> weights);

/// With bf16: patches become bfloat16, and so do values that only linears and attention read. Where
/// a linear with many rows reads another value, a Round node is inserted. The residual stream, the
/// arithmetic of LayerNorm, pooling, head and results stay float32.
Graph choose_precision(Graph graph, DType precision);

/// Walks back from the results and keeps only the rows that are read. With pooling by the class
/// token, the last block needs keys and values of all rows, but queries, projection and MLP of only
/// one row.
Graph demand_rows(const Graph& graph);

/// Inserts PackHeads nodes, so that keys and values are stored in the order in which attention
/// reads them.
Graph pack_heads(const Graph& graph);

/// Stores values in panels, the layout that tiles load, where they are bfloat16 and only linears
/// read them, or attention as queries.
Graph choose_layout(Graph graph);

/// What a graph is optimised for.
struct Target {
    DType precision = DType::f32;                ///< of everything that is not int8
    bool tiles = false;                          ///< linears in bfloat16 run on tiles
    std::vector<std::string> int8_weights = {};  ///< names in order
};

/// Runs all passes in the order that the executor needs; choose_layout only for tiles.
Graph optimise(Graph graph, const Demand& demand, const Target& target = {});

}  // namespace vit::inline internal
