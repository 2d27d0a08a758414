#include "engine/graph/reference.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/base/threads.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

/// Row-major [rows, cols].
struct Matrix {
    std::int64_t rows = 0, cols = 0;
    std::vector<double> data;

    Matrix() = default;
    explicit Matrix(Value shape)
        : rows(shape.rows), cols(shape.cols), data(static_cast<std::size_t>(rows * cols)) {}
    double* row(std::int64_t r) { return data.data() + r * cols; }
    const double* row(std::int64_t r) const { return data.data() + r * cols; }
};

/// Calls f(row) for every row, on all cores where the work is large enough. `flop`: of one row.
void for_rows(std::int64_t rows, std::int64_t flop, FunctionRef<void(std::int64_t)> f) {
    const bool small = rows * flop < 1'000'000;
    const int threads =
        small ? 1 : static_cast<int>(std::min<std::int64_t>(usable_threads(), rows));
    parallel(threads, [&](int thread, int granted) {
        for (std::int64_t r = thread; r < rows; r += granted) f(r);
    });
}

/// Rounds the values of each row as op::Quantize says. `x` and `out` may be the same.
void quantize_rows(const Matrix& x, Matrix& out) {
    for (std::int64_t r = 0; r < x.rows; ++r) {
        const double* from = x.row(r);
        double* to = out.row(r);
        bool finite = true;
        double low = from[0], high = from[0];
        for (std::int64_t c = 0; c < x.cols; ++c) {
            finite = finite && std::isfinite(from[c]);
            low = std::min(low, from[c]);
            high = std::max(high, from[c]);
        }
        const double shift = (low + high) / 2, range = high - low;
        const double scale = !finite ? NAN : range < 1e-30 ? 0 : range / 254;
        for (std::int64_t c = 0; c < x.cols; ++c)
            to[c] = scale == 0 ? shift : std::nearbyint((from[c] - shift) / scale) * scale + shift;
    }
}

/// out[r] = W x[r] + bias. Each sum adds the inputs in order. Eight rows are computed at the same
/// time, so that the compiler can use vectors without reordering a sum.
void linear(const Matrix& x, std::span<const float> weight, std::span<const float> bias,
            Matrix& out) {
    constexpr std::int64_t together = 8;
    const std::int64_t in = x.cols;
    for_rows(
        (x.rows + together - 1) / together, 2 * together * in * out.cols, [&](std::int64_t group) {
            const std::int64_t first = group * together, count = std::min(together, x.rows - first);
            std::vector<double> columns(static_cast<std::size_t>(in * together));
            for (std::int64_t j = 0; j < count; ++j)
                for (std::int64_t i = 0; i < in; ++i)
                    columns[static_cast<std::size_t>(i * together + j)] = x.row(first + j)[i];
            for (std::int64_t o = 0; o < out.cols; ++o) {
                const float* w = weight.data() + o * in;
                const double* column = columns.data();
                double sum[together] = {};
                for (std::int64_t i = 0; i < in; ++i, column += together) {
                    const double factor = static_cast<double>(w[i]);
                    for (std::int64_t j = 0; j < together; ++j) sum[j] += column[j] * factor;
                }
                const double b =
                    bias.empty() ? 0.0 : static_cast<double>(bias[static_cast<std::size_t>(o)]);
                for (std::int64_t j = 0; j < count; ++j) out.row(first + j)[o] = sum[j] + b;
            }
        });
}

struct Evaluator {
    const Graph& graph;
    const WeightMap& weights;
    std::vector<Matrix> values;

    const Matrix& in(const Node& node, std::size_t i = 0) const {
        return values[static_cast<std::size_t>(node.inputs[i])];
    }
    std::span<const float> optional_weight(const std::string& name) const {
        return name.empty() ? std::span<const float>{} : weights.get(name);
    }

    /// The patches as rows [channel, y, x], which is the order of the convolution's weights.
    Matrix patches(const op::PatchEmbed& p, const Matrix& image) const {
        const std::int64_t width = graph.image_size.width;
        const std::int64_t grid_h = graph.image_size.height / p.patch_height,
                           grid_w = width / p.patch_width;
        Matrix result(Value{grid_h * grid_w, graph.channels * p.patch_height * p.patch_width});
        for (std::int64_t patch = 0; patch < result.rows; ++patch) {
            double* out = result.row(patch);
            const std::int64_t top = patch / grid_w * p.patch_height,
                               left = patch % grid_w * p.patch_width;
            for (std::int64_t c = 0; c < graph.channels; ++c)
                for (std::int64_t y = 0; y < p.patch_height; ++y)
                    for (std::int64_t x = 0; x < p.patch_width; ++x)
                        *out++ = image.row(c)[(top + y) * width + left + x];
        }
        if (p.norm) normalise(*p.norm, result, result);
        return result;
    }

    void run(const op::PatchEmbed& p, const Node& node, Matrix& out) const {
        linear(patches(p, in(node)), weights.get(p.weight), optional_weight(p.bias), out);
    }
    void run(const op::PrependTokens& p, const Node& node, Matrix& out) const {
        double* to = out.data.data();
        for (const std::string& name : p.tokens) to = std::ranges::copy(weights.get(name), to).out;
        std::ranges::copy(in(node).data, to);
    }
    void run(const op::AddPosition& p, const Node& node, Matrix& out) const {
        const std::span<const float> table = weights.get(p.table);
        for (std::size_t i = 0; i < out.data.size(); ++i)
            out.data[i] = in(node).data[i] + static_cast<double>(table[i]);
    }
    void run(const op::Embed& e, const Node& node, Matrix& out) const {
        const Matrix rows = patches(e.patch, in(node));
        Matrix embedded(Value{rows.rows, out.cols});
        linear(rows, weights.get(e.patch.weight), optional_weight(e.patch.bias), embedded);
        if (e.norm) normalise(*e.norm, embedded, embedded);
        double* to = out.data.data();
        for (const std::string& name : e.tokens) to = std::ranges::copy(weights.get(name), to).out;
        const auto patch_start = static_cast<std::size_t>(to - out.data.data());
        std::ranges::copy(embedded.data, to);
        if (e.table.empty()) return;
        const std::span<const float> table = weights.get(e.table);
        const std::size_t start = e.table_has_prefix ? 0 : patch_start;
        for (std::size_t i = start; i < out.data.size(); ++i)
            out.data[i] += static_cast<double>(table[i - start]);
    }
    /// `x` and `out` may be the same.
    void normalise(const op::LayerNorm& n, const Matrix& x, Matrix& out) const {
        const std::span<const float> gamma = optional_weight(n.weight),
                                     beta = optional_weight(n.bias);
        const std::int64_t width = out.cols / n.groups;
        const auto count = static_cast<double>(width);
        for (std::int64_t part = 0; part < out.rows * n.groups; ++part) {
            const double* from = x.data.data() + part * width;
            double* to = out.data.data() + part * width;
            double mean = 0, var = 0;
            if (!n.rms)
                for (std::int64_t c = 0; c < width; ++c) mean += from[c] / count;
            for (std::int64_t c = 0; c < width; ++c) var += (from[c] - mean) * (from[c] - mean);
            const double scale = 1 / std::sqrt(var / count + n.eps);
            for (std::int64_t c = 0; c < width; ++c) {
                double y = (from[c] - mean) * scale;
                if (!gamma.empty()) y *= static_cast<double>(gamma[static_cast<std::size_t>(c)]);
                if (!beta.empty()) y += static_cast<double>(beta[static_cast<std::size_t>(c)]);
                to[c] = y;
            }
        }
    }
    void run(const op::LayerNorm& n, const Node& node, Matrix& out) const {
        normalise(n, in(node), out);
        if (graph.value(node.output).type == DType::i8) quantize_rows(out, out);
    }
    void run(const op::Linear& l, const Node& node, Matrix& out) const {
        std::vector<float> storage;
        linear(in(node), weights.floats(l.weight, storage), optional_weight(l.bias), out);
        const std::span<const float> scale = optional_weight(l.out_scale);
        for (std::int64_t r = 0; r < out.rows; ++r)
            for (std::int64_t c = 0; c < out.cols; ++c) {
                double& y = out.row(r)[c];
                if (!scale.empty()) y *= static_cast<double>(scale[static_cast<std::size_t>(c)]);
                if (l.activation) y = activate(*l.activation, y);
                if (node.inputs.size() > 1) y += in(node, 1).row(r)[c];
            }
    }
    void run(const op::Attention& a, const Node& node, Matrix& out) const {
        const Matrix &q = in(node, 0), &k = in(node, 1), &v = in(node, 2);
        for_rows(a.heads * q.rows, 2 * k.rows * (a.head_dim + a.value_dim), [&](std::int64_t task) {
            const std::int64_t row = task / a.heads, head = task % a.heads;
            const std::int64_t offset = head * a.head_dim, value_offset = head * a.value_dim;
            std::vector<double> weight(static_cast<std::size_t>(k.rows));
            double largest = -HUGE_VAL, sum = 0;
            for (std::int64_t t = 0; t < k.rows; ++t) {
                double score = 0;
                for (std::int64_t d = 0; d < a.head_dim; ++d)
                    score += q.row(row)[offset + d] * k.row(t)[offset + d];
                weight[static_cast<std::size_t>(t)] = score * a.scale;
                largest = std::max(largest, score * a.scale);
            }
            for (double& w : weight) sum += w = std::exp(w - largest);
            double* to = out.row(row) + value_offset;
            for (std::int64_t t = 0; t < k.rows; ++t) {
                const double share = weight[static_cast<std::size_t>(t)] / sum;
                for (std::int64_t d = 0; d < a.value_dim; ++d)
                    to[d] += share * v.row(t)[value_offset + d];
            }
        });
    }
    void run(const op::Activate& a, const Node& node, Matrix& out) const {
        std::ranges::transform(in(node).data, out.data.begin(),
                               [&](double x) { return activate(a.function, x); });
    }
    void run(const op::LayerScale& s, const Node& node, Matrix& out) const {
        const std::span<const float> gamma = weights.get(s.gamma);
        for (std::int64_t r = 0; r < out.rows; ++r)
            for (std::int64_t c = 0; c < out.cols; ++c)
                out.row(r)[c] =
                    in(node).row(r)[c] * static_cast<double>(gamma[static_cast<std::size_t>(c)]);
    }
    void run(const op::Add&, const Node& node, Matrix& out) const {
        for (std::size_t i = 0; i < out.data.size(); ++i)
            out.data[i] = in(node, 0).data[i] + in(node, 1).data[i];
    }
    void run(const op::Multiply&, const Node& node, Matrix& out) const {
        for (std::size_t i = 0; i < out.data.size(); ++i)
            out.data[i] = in(node, 0).data[i] * in(node, 1).data[i];
    }
    void run(const op::SubtractScaled& s, const Node& node, Matrix& out) const {
        const auto factor = static_cast<double>(weights.get(s.factor)[0]);
        for (std::size_t i = 0; i < out.data.size(); ++i)
            out.data[i] = in(node, 0).data[i] - factor * in(node, 1).data[i];
    }
    void run(const op::Round&, const Node& node, Matrix& out) const { out = in(node); }
    /// The values that the int8 numbers stand for, not the numbers.
    void run(const op::Quantize&, const Node& node, Matrix& out) const {
        quantize_rows(in(node), out);
    }
    void run(const op::Constant& c, const Node&, Matrix& out) const {
        std::ranges::copy(weights.get(c.weight), out.data.begin());
    }
    void run(const op::SelectRows& s, const Node& node, Matrix& out) const {
        std::copy_n(in(node).row(s.first), out.data.size(), out.data.begin());
    }
    void run(const op::MeanRows& m, const Node& node, Matrix& out) const {
        for (std::int64_t r = 0; r < m.count; ++r)
            for (std::int64_t c = 0; c < out.cols; ++c)
                out.data[static_cast<std::size_t>(c)] += in(node).row(m.first + r)[c];
        for (double& y : out.data) y /= static_cast<double>(m.count);
    }
    void run(const op::MaxRows& m, const Node& node, Matrix& out) const {
        std::copy_n(in(node).row(m.first), out.cols, out.data.begin());
        for (std::int64_t r = 1; r < m.count; ++r)
            for (std::int64_t c = 0; c < out.cols; ++c) {
                double& y = out.data[static_cast<std::size_t>(c)];
                y = std::max(y, in(node).row(m.first + r)[c]);
            }
    }
    void run(const op::Average&, const Node& node, Matrix& out) const {
        for (std::size_t i = 0; i < out.data.size(); ++i)
            out.data[i] = (in(node, 0).data[i] + in(node, 1).data[i]) / 2;
    }
    // These do not change a value at inference. PackHeads changes only how it is stored.
    void run(const op::PackHeads&, const Node& node, Matrix& out) const {
        out.data = in(node).data;
    }
    void run(const op::Dropout&, const Node& node, Matrix& out) const { out.data = in(node).data; }
    void run(const op::DropPath&, const Node& node, Matrix& out) const { out.data = in(node).data; }
};

}  // namespace

double activate(Activation function, double x) {
    switch (function) {
        case Activation::gelu:
            return 0.5 * x * std::erfc(-x / std::numbers::sqrt2);
        case Activation::gelu_tanh: {
            const double inner = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
            return 0.5 * x * (1 + std::tanh(inner));
        }
        case Activation::quick_gelu:
            return x / (1 + std::exp(-1.702 * x));
        case Activation::silu:
            return x / (1 + std::exp(-x));
        case Activation::relu:
            return x > 0 ? x : 0;
        case Activation::tanh:
            return std::tanh(x);
    }
    throw Error(ErrorKind::internal, "unknown activation");
}

ReferenceResult evaluate(const Graph& graph, const WeightMap& weights, std::span<const float> image,
                         const std::function<void(double)>& progress) {
    check(graph);
    const Value expected = graph.value(graph.image);
    if (static_cast<std::int64_t>(image.size()) != expected.rows * expected.cols)
        throw Error(ErrorKind::usage, "image: expected " +
                                          std::to_string(expected.rows * expected.cols) +
                                          " floats, found " + std::to_string(image.size()));
    Evaluator e{graph, weights, std::vector<Matrix>(graph.values.size())};
    Matrix& input = e.values[static_cast<std::size_t>(graph.image)] = Matrix(expected);
    std::ranges::copy(image, input.data.begin());

    std::vector<int> uses = use_counts(graph);
    const double all = flop(graph);
    double done = 0;
    for (const Node& node : graph.nodes) {
        Matrix out(graph.value(node.output));
        std::visit([&](const auto& op) { e.run(op, node, out); }, node.op);
        e.values[static_cast<std::size_t>(node.output)] = std::move(out);
        for (ValueId id : node.inputs)
            if (--uses[static_cast<std::size_t>(id)] == 0)
                e.values[static_cast<std::size_t>(id)] = {};
        done += flop(graph, node);
        if (progress) progress(done / all);
    }
    const auto result = [&](ValueId id) {
        return id == no_value ? std::vector<double>{} : e.values[static_cast<std::size_t>(id)].data;
    };
    return {result(graph.logits), result(graph.features), result(graph.tokens)};
}

}  // namespace vit::inline internal
