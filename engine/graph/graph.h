// The computation as plain data: values, and nodes that compute a value from others. Shapes are
// fixed. A graph describes one image.
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

/// What a node computes. A node has the names of its weights in the model file, not the weights. An
/// empty name means that the node has no such weight.
namespace op {

/// Layer normalisation; where `rms`, x / √(mean(x²) + eps) · weight. A row is divided into `groups`
/// equal parts, which are normalised separately with the same weight and bias [cols / groups].
struct LayerNorm {
    std::string weight, bias;
    double eps;
    bool rms = false;
    std::int64_t groups = 1;
};
/// image → [patches, D]: a convolution whose stride equals its kernel size. Where `norm` is set,
/// the patches are normalised first.
struct PatchEmbed {
    std::int64_t patch_height, patch_width;
    std::string weight, bias;
    std::optional<LayerNorm> norm = {};  ///< over all values [channel, y, x] of a patch
};
/// Puts the rows of constant tensors ([D] or [n, D]) before the rows of x.
struct PrependTokens {
    std::vector<std::string> tokens;
};
/// x + table, row by row.
struct AddPosition {
    std::string table;
};
/// PatchEmbed, a norm of the patches, PrependTokens and AddPosition in one node. Each of the last
/// three may be missing. `table_has_prefix` is true where AddPosition comes after PrependTokens.
struct Embed {
    PatchEmbed patch;
    std::optional<LayerNorm> norm;
    std::vector<std::string> tokens;
    std::string table;
    bool table_has_prefix;
    DType type = DType::f32;  ///< patches and their weights are rounded to it
};
/// activation(out_scale · (x Wᵀ + bias)). The second input, if any, is added to that.
struct Linear {
    std::string weight, bias;
    std::string out_scale;  ///< [out], from a LayerScale that was fused into this node
    std::optional<Activation> activation;
};
/// softmax(scale · q kᵀ) v for each head. q may have fewer rows than k and v, and v another width.
struct Attention {
    std::int64_t heads, head_dim, value_dim;
    double scale;
    double drop_rate;  ///< of the attention weights; in training only
};
/// Stores keys or values in the order in which Attention reads them fastest. The numbers stay the
/// same.
struct PackHeads {
    std::int64_t heads, head_dim;  ///< of the input
    bool keys;
};
struct Activate {
    Activation function;
};
struct LayerScale {
    std::string gamma;
};
struct Add {};
/// a · b, elementwise.
struct Multiply {};
/// a − factor · b, with one factor for all elements.
struct SubtractScaled {
    std::string factor;
};
/// Rounds x to the type of the output.
struct Round {};
/// Rounds each row of x to int8: scale · number + shift. The shift is the middle of the row's
/// range, and the scale is the range / 254. A row with a NaN or an infinity becomes NaN.
struct Quantize {};
/// The rows of a weight ([D] or [n, D]). Has no inputs.
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
/// Elementwise mean of two values of the same shape.
struct Average {};
/// In training only; at inference the output is the input.
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
                 op::Multiply, op::SubtractScaled, op::Round, op::Quantize, op::Constant,
                 op::SelectRows, op::MeanRows, op::MaxRows, op::Average, op::Dropout, op::DropPath>;

/// A matrix [rows, cols]; the image is [channels, height * width].
struct Value {
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    DType type = DType::f32;  ///< or bf16 (choose_precision), or i8 with a scale per row (Quantize)
    bool panels = false;      ///< stored in panels, the layout that tiles load (choose_layout)
};

/// Rows [first, last) of a value.
struct RowRange {
    std::int64_t first = 0, last = 0;
    bool operator==(const RowRange&) const = default;
    bool empty() const { return first >= last; }
    std::int64_t count() const { return last - first; }
};

struct Node {
    std::string name;  ///< of the module it computes: "blocks.3.attn.proj"
    Op op;
    std::vector<ValueId> inputs;
    ValueId output = no_value;
};

/// Every node comes after the nodes that compute its inputs.
struct Graph {
    std::int64_t channels = 3;
    ImageSize image_size;
    std::vector<Value> values;
    std::vector<Node> nodes;
    ValueId image = no_value;
    bool tiles = false;  ///< linears that read bfloat16 run on tiles (choose_layout)
    // Results. no_value: the run does not need it.
    ValueId logits = no_value;    ///< [1, classes]
    ValueId features = no_value;  ///< [1, D], what the head reads
    ValueId tokens = no_value;    ///< [T, D], after the final norm
    std::vector<ValueId> kept;    ///< other values that the caller reads after a run

    const Value& value(ValueId id) const { return values[static_cast<std::size_t>(id)]; }
    ValueId add_value(Value value);
    /// Appends a node and its output value, and returns that value.
    ValueId add(std::string name, Op op, std::vector<ValueId> inputs, std::int64_t rows,
                std::int64_t cols, DType type = DType::f32);
    std::vector<ValueId> results() const;
};

/// The index of the node that computes each value; -1 for the image.
std::vector<int> producers(const Graph& graph);
/// How many inputs and results read each value.
std::vector<int> use_counts(const Graph& graph);

/// "linear", "layer_norm", …
std::string kind_name(const Op& op);
/// Names of all weights that the node reads.
std::vector<std::string> weight_names(const Op& op);

/// Whether row i of the output needs only row i of the inputs.
bool row_local(const Op& op);

/// 2 × the multiply-adds of one node, or of all nodes.
double flop(const Graph& graph, const Node& node);
double flop(const Graph& graph);

/// Throws Error(internal) with the name of the node where shapes, order or references do not match.
void check(const Graph& graph);

}  // namespace vit::inline internal
