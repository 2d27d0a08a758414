// The computation as plain data: values, and nodes that make one from others. Static shapes, one
// image.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/model/model_config.h"
#include "engine/model/tensor.h"

namespace vit::inline internal {

using ValueId = std::int32_t;
inline constexpr ValueId no_value = -1;

/// What a node computes. Weights are named, never held: the names are the model file's.
/// An empty name means that the node has no such weight.
namespace op {

/// Layer normalisation, or x / √(mean(x²) + eps) · weight where `rms`; of each of `groups` equal
/// parts of a row by itself, with the same weight and bias [cols / groups].
struct LayerNorm {
    std::string weight, bias;
    double eps;
    bool rms = false;
    std::int64_t groups = 1;
};
/// image → [patches, D]; a convolution whose stride is its kernel, of patches that are normalised
/// first where there is a norm.
struct PatchEmbed {
    std::int64_t patch_height, patch_width;
    std::string weight, bias;
    std::optional<LayerNorm> norm = {};  ///< of all values [channel, y, x] of a patch
};
/// Rows of constant tensors ([D] or [n, D]) in front of x.
struct PrependTokens {
    std::vector<std::string> tokens;
};
/// x + table, row by row.
struct AddPosition {
    std::string table;
};
/// PatchEmbed, a norm of the patches, PrependTokens and AddPosition at once (the last two in the
/// order that `table_has_prefix` says); all but the first only where they are there.
struct Embed {
    PatchEmbed patch;
    std::optional<LayerNorm> norm;
    std::vector<std::string> tokens;
    std::string table;
    bool table_has_prefix;
    DType type = DType::f32;  ///< that patches and their weights are rounded to
};
/// activation(out_scale · (x Wᵀ + bias)), plus the second input where there is one.
struct Linear {
    std::string weight, bias;
    std::string out_scale;  ///< [out], a LayerScale that was folded in
    std::optional<Activation> activation;
};
/// softmax(scale · q kᵀ) v for each head; q may have fewer rows than k and v, and v another width.
struct Attention {
    std::int64_t heads, head_dim, value_dim;
    double scale;
    double drop_rate;  ///< of the attention weights, training only
};
/// Stores keys (or values) as Attention reads them fastest; the same numbers.
struct PackHeads {
    std::int64_t heads, head_dim;  ///< of what is packed
    bool keys;
};
struct Activate {
    Activation function;
};
struct LayerScale {
    std::string gamma;
};
struct Add {};
/// a · b, element by element.
struct Multiply {};
/// a − factor · b, with one number for all elements.
struct SubtractScaled {
    std::string factor;
};
/// x in the type of the output.
struct Round {};
/// The rows of a weight ([D] or [n, D]); no inputs.
struct Constant {
    std::string weight;
};
struct SelectRows {
    std::int64_t first, count;
};
/// Mean over the rows [first, first + count).
struct MeanRows {
    std::int64_t first, count;
};
/// Maximum over the rows [first, first + count).
struct MaxRows {
    std::int64_t first, count;
};
/// Mean of all rows of two values of the same shape.
struct Average {};
/// Training only; identities at inference.
struct Dropout {
    double rate;
};
struct DropPath {
    double rate;
};

}  // namespace op

using Op =
    std::variant<op::PatchEmbed, op::PrependTokens, op::AddPosition, op::Embed, op::LayerNorm,
                 op::Linear, op::Attention, op::PackHeads, op::Activate, op::LayerScale, op::Add,
                 op::Multiply, op::SubtractScaled, op::Round, op::Constant, op::SelectRows,
                 op::MeanRows, op::MaxRows, op::Average, op::Dropout, op::DropPath>;

/// A matrix [rows, cols]; for the image [channels, height * width].
struct Value {
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    DType type = DType::f32;  ///< or bf16 (choose_precision)
    bool panels = false;      ///< lies in panels, as tiles load it (choose_layout)
};

struct Node {
    std::string name;  ///< of the module it stands for: "blocks.3.attn.proj"
    Op op;
    std::vector<ValueId> inputs;
    ValueId output = no_value;
};

/// Nodes stand in an order in which every input is made before it is used.
struct Graph {
    std::int64_t channels = 3;
    ImageSize image_size;
    std::vector<Value> values;
    std::vector<Node> nodes;
    ValueId image = no_value;
    bool tiles = false;  ///< linears that read bfloat16 run on tiles (choose_layout)
    // Results; no_value: not asked for.
    ValueId logits = no_value;    ///< [1, classes]
    ValueId features = no_value;  ///< [1, D], what the head reads
    ValueId tokens = no_value;    ///< [T, D], after the final norm

    const Value& value(ValueId id) const { return values[static_cast<std::size_t>(id)]; }
    ValueId add_value(Value value);
    /// Appends a node and its output value, and returns that value.
    ValueId add(std::string name, Op op, std::vector<ValueId> inputs, std::int64_t rows,
                std::int64_t cols, DType type = DType::f32);
    std::vector<ValueId> results() const;
};

/// Index of the node that makes each value, -1 for the image.
std::vector<int> producers(const Graph& graph);
/// How many inputs and results read each value.
std::vector<int> use_counts(const Graph& graph);

/// "linear", "layer_norm", …
std::string kind_name(const Op& op);
/// Names of all weights that the node reads.
std::vector<std::string> weight_names(const Op& op);

/// True where output row i needs row i of the inputs only.
bool row_local(const Op& op);

/// 2 × multiply-adds of one node, or of all.
double flop(const Graph& graph, const Node& node);
double flop(const Graph& graph);

/// Throws Error(internal) naming the node where shapes, order or references do not fit.
void check(const Graph& graph);

}  // namespace vit::inline internal
