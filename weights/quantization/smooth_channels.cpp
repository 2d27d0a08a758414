#include "weights/quantization/smooth_channels.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>

#include "engine/base/random.h"
#include "engine/base/threads.h"

namespace vit::inline internal {

namespace {

constexpr double strengths[] = {0.25, 0.375, 0.5, 0.625, 0.75};

/// A value whose channels can be smoothed.
struct Place {
    ValueId value;
    const op::LayerNorm* norm;  ///< makes the value, or what `values` reads
    const op::Linear* values;  ///< attention averages its output; nullptr: the norm makes the value
    std::vector<const op::Linear*> readers;
};

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

std::vector<Place> places_of(const Graph& graph) {
    const std::vector<int> producer = producers(graph), uses = use_counts(graph);
    const auto maker = [&](ValueId value) -> const Node* {
        const int index = producer[static_cast<std::size_t>(value)];
        return index < 0 ? nullptr : &graph.nodes[static_cast<std::size_t>(index)];
    };
    std::vector<Place> places;
    for (const Node& node : graph.nodes) {
        if (!node.name.starts_with("blocks.")) continue;
        if (const auto* norm = std::get_if<op::LayerNorm>(&node.op)) {
            std::vector<const op::Linear*> readers = only_linears(graph, node.output);
            if (norm->groups == 1 && !readers.empty())
                places.push_back({node.output, norm, nullptr, std::move(readers)});
            continue;
        }
        if (!std::holds_alternative<op::Attention>(node.op)) continue;
        std::vector<const op::Linear*> readers = only_linears(graph, node.output);
        const ValueId v = node.inputs[2];
        const Node* const linear = maker(v);
        if (readers.size() != 1 || linear == nullptr || uses[static_cast<std::size_t>(v)] != 1)
            continue;
        const auto* values = std::get_if<op::Linear>(&linear->op);
        const Node* const before = values == nullptr ? nullptr : maker(linear->inputs[0]);
        const auto* norm = before == nullptr ? nullptr : std::get_if<op::LayerNorm>(&before->op);
        if (norm != nullptr && norm->groups == 1)
            places.push_back({node.output, norm, values, std::move(readers)});
    }
    return places;
}

std::span<const float> optional(const std::string& name, ModelWeights& weights) {
    return name.empty() ? std::span<const float>() : weights.floats(name);
}

/// Random rows. A channel of a norm has the mean β and the deviation |γ|; a channel of the values
/// the mean b + W β and the deviation ‖W γ‖.
Matrix typical_rows(const Place& place, ModelWeights& weights) {
    constexpr std::int64_t count = 256;
    const std::span<const float> gamma = weights.floats(place.norm->weight),
                                 beta = optional(place.norm->bias, weights);
    std::vector<double> means(beta.begin(), beta.end()), deviations(gamma.begin(), gamma.end());
    means.resize(gamma.size());
    if (place.values != nullptr) {
        const std::span<const float> w = weights.floats(place.values->weight),
                                     bias = optional(place.values->bias, weights);
        const std::size_t in = gamma.size();
        std::vector<double> of_values(w.size() / in), variances(w.size() / in);
        std::copy(bias.begin(), bias.end(), of_values.begin());
        for (std::size_t i = 0; i < w.size(); ++i) {
            of_values[i / in] += double{w[i]} * means[i % in];
            variances[i / in] += std::pow(double{w[i]} * deviations[i % in], 2);
        }
        means = std::move(of_values);
        deviations.clear();
        for (const double variance : variances) deviations.push_back(std::sqrt(variance));
    }
    Matrix rows(count, static_cast<std::int64_t>(means.size()));
    std::vector<float> uniform(4 * rows.values.size());
    fill_random("typical_rows", 0, uniform);
    for (std::size_t i = 0; i < rows.values.size(); ++i) {
        // The sum of four numbers of variance 1/3 is close to a normal distribution.
        const float* const u = uniform.data() + 4 * i;
        const double normal = (double{u[0]} + u[1] + u[2] + u[3]) * std::sqrt(0.75);
        rows.values[i] =
            static_cast<float>(means[i % means.size()] + deviations[i % means.size()] * normal);
    }
    return rows;
}

std::vector<float> largest_of_columns(std::span<const float> matrix, std::vector<float> largest) {
    for (std::size_t row = 0; row < matrix.size(); row += largest.size())
        for (std::size_t c = 0; c < largest.size(); ++c)
            largest[c] = std::max(largest[c], std::abs(matrix[row + c]));
    return largest;
}

/// The factor of each channel. Their geometric mean is 1, because a common factor changes nothing.
std::vector<float> factors(std::span<const float> channels, std::span<const float> columns,
                           double strength) {
    constexpr float least = 1e-5f;
    std::vector<double> logs(channels.size());
    double mean = 0;
    for (std::size_t c = 0; c < logs.size(); ++c) {
        logs[c] = strength * std::log(double{std::max(channels[c], least)}) -
                  (1 - strength) * std::log(double{std::max(columns[c], least)});
        mean += logs[c] / static_cast<double>(logs.size());
    }
    std::vector<float> result;
    for (const double log : logs) result.push_back(static_cast<float>(std::exp(log - mean)));
    return result;
}

void divide_columns(std::span<float> matrix, std::span<const float> by) {
    for (std::size_t row = 0; row < matrix.size(); row += by.size())
        for (std::size_t c = 0; c < by.size(); ++c) matrix[row + c] /= by[c];
}

void multiply_columns(std::span<float> matrix, std::span<const float> by) {
    for (std::size_t row = 0; row < matrix.size(); row += by.size())
        for (std::size_t c = 0; c < by.size(); ++c) matrix[row + c] *= by[c];
}

/// The sum of the linears' squared errors, for rows and weights in int8. `by`: empty for "off".
double error_of(std::span<const std::span<const float>> linears, const Matrix& rows,
                std::span<const float> by) {
    Matrix x = rows;
    if (!by.empty()) divide_columns(x.values, by);
    Matrix rounded_x = rounded_rows(x);
    double sum = 0;
    for (const std::span<const float> weight : linears) {
        std::vector<float> scaled(weight.begin(), weight.end());
        if (!by.empty()) multiply_columns(scaled, by);
        const std::size_t out = scaled.size() / static_cast<std::size_t>(x.cols);
        std::vector<float> rounded = round_to_nearest(scaled, out).floats();
        const double error = relative_error(x.view(), rounded_x.view(), scaled, rounded);
        sum += error * error;
    }
    return sum;
}

/// The factors of the best strength; empty: "off" is best.
std::vector<float> best_factors(const Place& place, const Matrix& rows, ModelWeights& weights) {
    const auto channels = static_cast<std::size_t>(rows.cols);
    const std::vector<float> ranges = largest_of_columns(rows.values, std::vector<float>(channels));
    std::vector<std::span<const float>> linears;
    std::vector<float> columns(channels);
    for (const op::Linear* reader : place.readers) {
        linears.push_back(weights.floats(reader->weight));
        columns = largest_of_columns(linears.back(), std::move(columns));
    }
    std::vector<std::vector<float>> candidates(1);
    for (const double strength : strengths)
        candidates.push_back(factors(ranges, columns, strength));
    std::vector<double> errors(candidates.size());
    std::atomic<std::size_t> next = 0;
    parallel(usable_threads(), [&](int, int) {
        for (std::size_t i; (i = next.fetch_add(1)) < candidates.size();)
            errors[i] = error_of(linears, rows, candidates[i]);
    });
    return candidates[static_cast<std::size_t>(std::ranges::min_element(errors) - errors.begin())];
}

}  // namespace

std::vector<ValueId> smoothable_values(const Graph& graph) {
    std::vector<ValueId> values;
    for (const Place& place : places_of(graph)) values.push_back(place.value);
    return values;
}

void smooth_channels(const Graph& graph, ModelWeights& weights, RowsOfValues samples) {
    for (const Place& place : places_of(graph)) {
        const auto seen = samples.find(place.value);
        const Matrix rows =
            seen != samples.end() ? std::move(seen->second) : typical_rows(place, weights);
        const std::vector<float> by = best_factors(place, rows, weights);
        if (by.empty()) continue;
        if (place.values == nullptr) {
            divide_columns(weights.change(place.norm->weight), by);
            if (!place.norm->bias.empty()) divide_columns(weights.change(place.norm->bias), by);
        } else {
            const std::span<float> rows_of_weight = weights.change(place.values->weight);
            const std::size_t in = rows_of_weight.size() / by.size();
            for (std::size_t i = 0; i < rows_of_weight.size(); ++i) rows_of_weight[i] /= by[i / in];
            if (!place.values->bias.empty()) divide_columns(weights.change(place.values->bias), by);
        }
        for (const op::Linear* reader : place.readers)
            multiply_columns(weights.change(reader->weight), by);
    }
}

}  // namespace vit::inline internal
