// Rewrites of the graph. Each is a pure function, and none changes what a graph computes: the
// reference evaluator gives the same results before and after. Each pass is in the file of its
// name.
#pragma once

#include "engine/graph/graph.h"

namespace vit::inline internal {

/// Which results a run needs.
struct Demand {
    bool logits = true;
    bool features = false;
    bool tokens = false;
    bool operator==(const Demand&) const = default;
};

/// Dropout and DropPath are identities at inference.
Graph remove_training_nodes(Graph graph);

/// Patch embedding, its norm, prefix tokens and position table become one Embed node.
Graph fuse_embedding(Graph graph);

/// Bias, LayerScale, activation and residual become part of the Linear that they follow.
Graph fuse_linears(Graph graph);

/// With bf16: patches, and values that only linears and attention read, become bfloat16; where a
/// linear of many rows reads another value, a Round node comes between. The residual stream,
/// LayerNorm's arithmetic, pooling, head and results stay float32.
Graph choose_precision(Graph graph, DType precision);

/// Walks back from the results and computes only the rows that are read. With pooling by the class
/// token, the last block needs keys and values of all rows, but queries, projection and MLP of one.
Graph demand_rows(const Graph& graph);

/// Keys and values are stored as attention reads them.
Graph pack_heads(const Graph& graph);

/// Values that lie between linears on tiles lie in panels, as tiles load them: those in bfloat16
/// that only linears, or attention as its queries, read.
Graph choose_layout(Graph graph);

/// What a graph is optimised for.
struct Target {
    DType precision = DType::f32;
    bool tiles = false;  ///< linears in bfloat16 run on tiles
};

/// All of the above in the order that the executor wants; choose_layout with tiles only.
Graph optimise(Graph graph, const Demand& demand, const Target& target = {});

}  // namespace vit::inline internal
