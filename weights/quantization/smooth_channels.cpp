#include "weights/quantization/smooth_channels.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace vit::inline internal {

namespace {

/// The linears that read a value; empty where something else reads it too.
std::vector<const op::Linear*> only_linears(const Graph& graph, ValueId value) {
    std::vector<const op::Linear*> linears;
    for (const Node& node : graph.nodes)
        for (const ValueId input : node.inputs) {
            if (input != value) continue;
            const auto* linear = std::get_if<op::Linear>(&node.op);
            if (linear == nullptr) return {};
            linears.push_back(linear);
        }
    for (const ValueId result : graph.results())
        if (result == value) return {};
    return linears;
}

void divide(std::span<float> values, std::span<const float> by) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] /= by[i];
}

/// Multiplies the columns of a weight [out, in].
void multiply_columns(std::span<float> weight, std::span<const float> by) {
    for (std::size_t i = 0; i < weight.size(); ++i) weight[i] *= by[i % by.size()];
}

/// The factor of each channel. `ranges`: a_c. Their geometric mean is 1, because a common factor
/// changes nothing.
std::vector<float> factors(std::span<const float> ranges,
                           std::span<const op::Linear* const> readers, ModelWeights& weights) {
    constexpr float least = 1e-5f;
    std::vector<float> largest(ranges.size(), 0.0f);
    for (const op::Linear* reader : readers) {
        const std::span<const float> w = weights.floats(reader->weight);
        for (std::size_t i = 0; i < w.size(); ++i)
            largest[i % ranges.size()] = std::max(largest[i % ranges.size()], std::abs(w[i]));
    }
    std::vector<float> result(ranges.size());
    double logs = 0;
    for (std::size_t c = 0; c < result.size(); ++c) {
        result[c] = std::sqrt(std::max(ranges[c], least) / std::max(largest[c], least));
        logs += std::log(double{result[c]});
    }
    const auto mean = static_cast<float>(std::exp(logs / static_cast<double>(result.size())));
    for (float& factor : result) factor /= mean;
    return result;
}

/// Lets the channels of a linear's input shrink by `by`.
void scale_readers(std::span<const op::Linear* const> readers, std::span<const float> by,
                   ModelWeights& weights) {
    for (const op::Linear* reader : readers) multiply_columns(weights.change(reader->weight), by);
}

void smooth_norm(const op::LayerNorm& norm, std::span<const op::Linear* const> readers,
                 ModelWeights& weights) {
    std::vector<float> ranges;
    for (const float gamma : weights.floats(norm.weight)) ranges.push_back(3 * std::abs(gamma));
    if (!norm.bias.empty()) {
        const std::span<const float> beta = weights.floats(norm.bias);
        for (std::size_t c = 0; c < ranges.size(); ++c) ranges[c] += std::abs(beta[c]);
    }
    const std::vector<float> by = factors(ranges, readers, weights);
    divide(weights.change(norm.weight), by);
    if (!norm.bias.empty()) divide(weights.change(norm.bias), by);
    scale_readers(readers, by, weights);
}

/// `values` reads the norm's output. The values of a channel have about the mean b + W β and the
/// deviation ‖W γ‖; attention averages them.
void smooth_values(const op::LayerNorm& norm, const op::Linear& values,
                   const op::Linear& projection, ModelWeights& weights) {
    const std::span<const float> gamma = weights.floats(norm.weight),
                                 w = weights.floats(values.weight);
    const std::size_t in = gamma.size(), out = w.size() / in;
    const auto optional = [&](const std::string& name) {
        return name.empty() ? std::span<const float>() : weights.floats(name);
    };
    const std::span<const float> beta = optional(norm.bias), bias = optional(values.bias);
    std::vector<float> ranges(out);
    for (std::size_t o = 0; o < out; ++o) {
        double mean = bias.empty() ? 0 : bias[o], variance = 0;
        for (std::size_t i = 0; i < in; ++i) {
            const double x = w[o * in + i], scaled = x * gamma[i];
            if (!beta.empty()) mean += x * beta[i];
            variance += scaled * scaled;
        }
        ranges[o] = static_cast<float>(std::abs(mean) + 3 * std::sqrt(variance));
    }
    const op::Linear* const reader[] = {&projection};
    const std::vector<float> by = factors(ranges, reader, weights);
    const std::span<float> changed = weights.change(values.weight);
    for (std::size_t i = 0; i < changed.size(); ++i) changed[i] /= by[i / in];
    if (!values.bias.empty()) divide(weights.change(values.bias), by);
    scale_readers(reader, by, weights);
}

}  // namespace

void smooth_channels(const Graph& graph, ModelWeights& weights) {
    const std::vector<int> producer = producers(graph), uses = use_counts(graph);
    const auto maker = [&](ValueId value) -> const Node* {
        const int index = producer[static_cast<std::size_t>(value)];
        return index < 0 ? nullptr : &graph.nodes[static_cast<std::size_t>(index)];
    };
    for (const Node& node : graph.nodes) {
        const bool in_block = node.name.starts_with("blocks.");
        if (const auto* norm = std::get_if<op::LayerNorm>(&node.op); norm != nullptr && in_block) {
            const std::vector<const op::Linear*> readers = only_linears(graph, node.output);
            if (norm->groups == 1 && !readers.empty()) smooth_norm(*norm, readers, weights);
            continue;
        }
        const auto* attention = std::get_if<op::Attention>(&node.op);
        if (attention == nullptr || !in_block) continue;
        const std::vector<const op::Linear*> readers = only_linears(graph, node.output);
        const ValueId v = node.inputs[2];
        const Node* const linear = maker(v);
        if (readers.size() != 1 || linear == nullptr || uses[static_cast<std::size_t>(v)] != 1)
            continue;
        const auto* values = std::get_if<op::Linear>(&linear->op);
        const Node* const before = values == nullptr ? nullptr : maker(linear->inputs[0]);
        const auto* norm = before == nullptr ? nullptr : std::get_if<op::LayerNorm>(&before->op);
        if (norm != nullptr && norm->groups == 1)
            smooth_values(*norm, *values, *readers[0], weights);
    }
}

}  // namespace vit::inline internal
