#include "tools/vit-search/linear_probe.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <numeric>

#include "engine/base/threads.h"
#include "tools/vit-search/lbfgs.h"

namespace vit::search {

namespace {

// The rows are divided into parts, and each part adds up its own gradient. The sum over parts then
// does not depend on the number of threads.
constexpr std::size_t parts = 16;
constexpr std::size_t block = 8;  // rows that are worked on at once, which makes loops vectors

using BlockValues = std::array<double, block>;

std::size_t outputs_of(int classes) {
    return classes == 2 ? 1 : static_cast<std::size_t>(classes);
}

void standardise(const LinearProbe& probe, std::span<const float> vector, double* out) {
    for (std::size_t d = 0; d < probe.dim; ++d)
        out[d] = (vector[d] - probe.mean[d]) * probe.factor[d];
    out[probe.dim] = 1;  // multiplies the bias
}

/// StandardScaler: a constant column keeps its scale.
void set_scale(LinearProbe& probe, const LabelledVectors& train) {
    const auto n = static_cast<double>(train.count());
    probe.mean.assign(probe.dim, 0);
    probe.factor.assign(probe.dim, 0);
    for (std::size_t i = 0; i < train.count(); ++i)
        for (std::size_t d = 0; d < probe.dim; ++d) probe.mean[d] += train.row(i)[d] / n;
    for (std::size_t i = 0; i < train.count(); ++i)
        for (std::size_t d = 0; d < probe.dim; ++d)
            probe.factor[d] += std::pow(train.row(i)[d] - probe.mean[d], 2) / n;
    for (std::size_t d = 0; d < probe.dim; ++d) {
        // A column that is constant but for rounding.
        const bool constant = probe.factor[d] <= 1e-15 * std::pow(probe.mean[d], 2) * n;
        probe.factor[d] = constant ? 1 : 1 / std::sqrt(probe.factor[d]);
    }
}

/// The rows of one block, standardised, with a column of ones: [row][column] and [column][row].
struct Block {
    std::size_t columns;
    std::vector<double> rows;
    std::vector<BlockValues> by_column;

    explicit Block(std::size_t column_count)
        : columns(column_count), rows(block * column_count), by_column(column_count) {}

    void read(const LinearProbe& probe, const LabelledVectors& train, std::size_t first,
              std::size_t count) {
        std::ranges::fill(rows, 0.0);
        for (std::size_t r = 0; r < count; ++r)
            standardise(probe, train.row(first + r), rows.data() + r * columns);
        for (std::size_t d = 0; d < columns; ++d)
            for (std::size_t r = 0; r < block; ++r) by_column[d][r] = rows[r * columns + d];
    }

    /// The products of all rows with a row of weights.
    BlockValues times(const double* weights) const {
        BlockValues sum{};
        for (std::size_t d = 0; d < columns; ++d)
            for (std::size_t r = 0; r < block; ++r) sum[r] += weights[d] * by_column[d][r];
        return sum;
    }

    void add_to_gradient(const BlockValues& error, double* gradient) const {
        for (std::size_t d = 0; d < columns; ++d) {
            double sum = 0;
            for (std::size_t r = 0; r < block; ++r) sum += error[r] * rows[r * columns + d];
            gradient[d] += sum;
        }
    }
};

/// Turns logits [outputs] of row `r` of a block into probabilities minus the truth, and returns the
/// cross-entropy.
double errors_of_row(std::vector<BlockValues>& logits, std::size_t r, int label, int classes) {
    const bool binary = classes == 2;
    double most = binary ? 0 : logits[0][r];
    for (const BlockValues& each : logits) most = std::max(most, each[r]);
    double sum = binary ? std::exp(-most) : 0;
    for (const BlockValues& each : logits) sum += std::exp(each[r] - most);
    const std::size_t truth = static_cast<std::size_t>(label) - (binary ? 1 : 0);
    const bool has_truth = truth < logits.size();  // of two classes the first has no logit
    const double loss = most + std::log(sum) - (has_truth ? logits[truth][r] : 0);
    for (BlockValues& each : logits) each[r] = std::exp(each[r] - most) / sum;
    if (has_truth) logits[truth][r] -= 1;
    return loss;
}

/// The cross-entropy of rows `first` … `last - 1`; adds its gradient.
double add_part(const LinearProbe& probe, const LabelledVectors& train, std::size_t first,
                std::size_t last, std::span<const double> weights, std::span<double> gradient) {
    const std::size_t columns = probe.dim + 1;
    Block rows(columns);
    std::vector<BlockValues> logits(outputs_of(probe.classes));
    double loss = 0;
    for (std::size_t at = first; at < last; at += block) {
        const std::size_t count = std::min(block, last - at);
        rows.read(probe, train, at, count);
        for (std::size_t c = 0; c < logits.size(); ++c)
            logits[c] = rows.times(weights.data() + c * columns);
        for (std::size_t r = 0; r < count; ++r)
            loss += errors_of_row(logits, r, train.labels[at + r], probe.classes);
        // Rows after the last one are zeros and add nothing.
        for (std::size_t c = 0; c < logits.size(); ++c)
            rows.add_to_gradient(logits[c], gradient.data() + c * columns);
    }
    return loss;
}

double objective(const LinearProbe& probe, const LabelledVectors& train, int threads,
                 std::span<const double> weights, std::span<double> gradient) {
    std::vector<std::vector<double>> gradients(parts);
    std::array<double, parts> losses{};
    std::atomic<std::size_t> next = 0;
    parallel(threads, [&](int, int) {
        for (std::size_t part; (part = next.fetch_add(1)) < parts;) {
            gradients[part].assign(weights.size(), 0);
            losses[part] = add_part(probe, train, train.count() * part / parts,
                                    train.count() * (part + 1) / parts, weights, gradients[part]);
        }
    });
    double value = std::accumulate(losses.begin(), losses.end(), 0.0);
    const std::size_t columns = probe.dim + 1;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const double weight = i % columns == probe.dim ? 0 : weights[i];
        value += weight * weight / 2;
        gradient[i] = weight;
        for (const std::vector<double>& each : gradients) gradient[i] += each[i];
    }
    return value;
}

}  // namespace

LinearProbe fit_probe(const LabelledVectors& train, int classes, int threads) {
    LinearProbe probe{train.dim, classes, {}, {}, {}};
    set_scale(probe, train);
    const double tolerance = std::max(1e-6, 1e-8 * static_cast<double>(train.count()));
    probe.weights = minimise(
        [&](std::span<const double> weights, std::span<double> gradient) {
            return objective(probe, train, threads, weights, gradient);
        },
        std::vector<double>(outputs_of(classes) * (train.dim + 1)), tolerance);
    return probe;
}

int predict(const LinearProbe& probe, std::span<const float> vector) {
    const std::size_t columns = probe.dim + 1;
    std::vector<double> inputs(columns), logits(static_cast<std::size_t>(probe.classes));
    standardise(probe, vector, inputs.data());
    const std::size_t outputs = outputs_of(probe.classes), skipped = logits.size() - outputs;
    for (std::size_t c = 0; c < outputs; ++c)
        logits[skipped + c] = std::inner_product(inputs.begin(), inputs.end(),
                                                 probe.weights.data() + c * columns, 0.0);
    return static_cast<int>(std::ranges::max_element(logits) - logits.begin());
}

}  // namespace vit::search
