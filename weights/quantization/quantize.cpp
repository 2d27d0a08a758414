#include "weights/quantization/quantize.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/graph/build_vit.h"
#include "vit/error.h"
#include "weights/quantization/gptq.h"
#include "weights/quantization/rounding.h"
#include "weights/quantization/rows.h"
#include "weights/quantization/smooth_channels.h"

namespace vit::inline internal {

namespace {

/// Linears of blocks that read the same value.
struct Group {
    ValueId input;
    std::vector<const Node*> linears;
};

const op::Linear& linear_of(const Node& node) {
    return std::get<op::Linear>(node.op);
}

bool is_linear_of_block(const Node& node) {
    return std::holds_alternative<op::Linear>(node.op) && node.name.starts_with("blocks.");
}

/// W · x for one vector.
std::vector<double> product(std::span<const float> weight, std::span<const double> x) {
    std::vector<double> y(weight.size() / x.size());
    for (std::size_t i = 0; i < weight.size(); ++i)
        y[i / x.size()] += double{weight[i]} * x[i % x.size()];
    return y;
}

/// The rows of each image's tokens, one image after the other.
Matrix rows_of_images(const Graph& graph, const ModelWeights& weights, const Start& start,
                      ValueId value) {
    const Value& shape = graph.value(value);
    const auto images = static_cast<std::int64_t>(start.images.size());
    Matrix rows(shape.rows * images, shape.cols);
    observe(graph, weights, start, {&value, 1},
            [&](std::size_t image, std::size_t, MatrixView seen) {
                copy_rows(seen, rows.row(static_cast<std::int64_t>(image) * shape.rows));
            });
    return rows;
}

/// Some rows of every value that can be smoothed, in the model of float linears.
RowsOfValues sample_rows(const Graph& graph, const ModelWeights& weights, const Images& images) {
    constexpr std::int64_t most_rows = 512;
    const std::vector<ValueId> values = smoothable_values(graph);
    const auto count = static_cast<std::int64_t>(images.size());
    const std::int64_t rows_of_image = std::max<std::int64_t>(most_rows / count, 1);
    RowsOfValues samples;
    for (const ValueId value : values)
        samples[value] = Matrix(rows_of_image * count, graph.value(value).cols);
    observe(graph, weights, {graph.image, images}, values,
            [&](std::size_t image, std::size_t v, MatrixView seen) {
                Matrix& rows = samples.find(values[v])->second;
                for (std::int64_t r = 0; r < rows_of_image; ++r)
                    copy_rows(seen.block(r * seen.rows / rows_of_image, 0, 1, seen.cols),
                              rows.row(static_cast<std::int64_t>(image) * rows_of_image + r));
            });
    return samples;
}

/// The part of the model that one block computes.
struct Block {
    std::vector<Group> groups;
    ValueId output = no_value;  ///< the only value of this block that later blocks read
};

std::vector<Block> blocks_of(const Graph& graph) {
    std::vector<Block> blocks;
    std::string_view current;
    for (const Node& node : graph.nodes) {
        if (!node.name.starts_with("blocks.")) continue;
        const std::string_view name =
            std::string_view(node.name).substr(0, node.name.find('.', sizeof "blocks." - 1));
        if (name != current) blocks.emplace_back();
        current = name;
        Block& block = blocks.back();
        block.output = node.output;
        if (!is_linear_of_block(node)) continue;
        const auto same = std::ranges::find(block.groups, node.inputs[0], &Group::input);
        if (same == block.groups.end())
            block.groups.push_back({node.inputs[0], {&node}});
        else
            same->linears.push_back(&node);
    }
    return blocks;
}

/// Runs the model from `start` to `output` on every image, and replaces the images by that output.
/// Returns the mean of each group's input over the rows of the first `counted` images.
std::vector<std::vector<double>> advance(const Graph& graph, const ModelWeights& weights,
                                         ValueId start, ValueId output,
                                         std::span<const Group> groups, Images& images,
                                         std::size_t counted) {
    std::vector<ValueId> values{output};
    for (const Group& group : groups) values.push_back(group.input);
    Images outputs(images.size());
    std::vector<std::vector<std::vector<double>>> means(groups.size(),
                                                        std::vector<std::vector<double>>(counted));
    observe(graph, weights, {start, images}, values,
            [&](std::size_t image, std::size_t value, MatrixView rows) {
                if (value > 0) {
                    if (image < counted) means[value - 1][image] = means_of(rows);
                    return;
                }
                outputs[image].resize(static_cast<std::size_t>(rows.rows * rows.cols));
                copy_rows(rows, outputs[image].data());
            });
    images = std::move(outputs);
    std::vector<std::vector<double>> result;
    for (const auto& of_images : means) {
        std::vector<double>& mean = result.emplace_back(of_images[0].size());
        for (std::size_t i = 0; i < counted; ++i)
            for (std::size_t c = 0; c < mean.size(); ++c)
                mean[c] += of_images[i][c] / static_cast<double>(counted);
    }
    return result;
}

double relative_error(std::span<const float> weight, const QuantizedWeight& rounded) {
    const std::vector<float> values = rounded.floats();
    double sum = 0, error = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        sum += double{weight[i]} * weight[i];
        error += std::pow(double{values[i]} - weight[i], 2);
    }
    return sum > 0 ? std::sqrt(error / sum) : 0;
}

/// Quantises the linears that read one value.
class GroupQuantizer {
  public:
    /// `rows`: the value for the calibrated images and then for the measured ones. `float_mean`:
    /// its mean over the calibrated images in the model of float linears.
    GroupQuantizer(Matrix rows, std::int64_t calibrated, std::span<const double> float_mean)
        : x_(std::move(rows)),
          rounded_x_(rounded_rows(x_)),
          calibrated_(calibrated),
          float_mean_(float_mean),
          rounded_mean_(means_of(calibrated_rows(rounded_x_))) {
        for (const double mean : rounded_mean_)
            if (!std::isfinite(mean))
                throw Error(ErrorKind::model,
                            "calibration: the inputs of a linear are not finite; the weights "
                            "overflow");
        subtract_means(calibrated_rows(rounded_x_), rounded_mean_);
        factor_ = factor_inputs(calibrated_rows(rounded_x_));
    }

    QuantizedLinear quantize(const Node& node, ModelWeights& weights) {
        const op::Linear& linear = linear_of(node);
        QuantizedLinear result{node.name, 0, {}};
        const std::span<const float> weight = weights.floats(linear.weight);
        const auto out = static_cast<std::size_t>(weights.shape(linear.weight)[0]);
        QuantizedWeight rounded = round_with_gptq(weight, out, factor_);
        std::vector<float> rounded_weight = rounded.floats();
        result.error = relative_error(measured(x_), measured(rounded_x_), weight, rounded_weight);
        if (!linear.bias.empty()) {
            const std::span<float> bias = weights.change(linear.bias);
            result.float_bias.assign(bias.begin(), bias.end());
            const std::vector<double> wanted = product(weight, float_mean_),
                                      found = product(rounded_weight, rounded_mean_);
            for (std::size_t o = 0; o < out; ++o)
                bias[o] += static_cast<float>(wanted[o] - found[o]);
        }
        weights.set_int8(linear.weight, std::move(rounded));
        return result;
    }

  private:
    MatrixView calibrated_rows(Matrix& x) const {
        return x.view().block(0, 0, calibrated_, x.cols);
    }
    MatrixView measured(Matrix& x) const {
        return x.view().block(calibrated_, 0, x.rows - calibrated_, x.cols);
    }

    Matrix x_, rounded_x_;
    std::int64_t calibrated_;
    std::span<const double> float_mean_;
    std::vector<double> rounded_mean_;
    InputFactor factor_;
};

}  // namespace

std::vector<QuantizedLinear> quantize(const Graph& graph, ModelWeights& weights) {
    smooth_channels(graph, weights);
    std::vector<QuantizedLinear> result;
    for (const Node& node : graph.nodes) {
        if (!is_linear_of_block(node)) continue;
        const std::string& name = linear_of(node).weight;
        const std::span<const float> weight = weights.floats(name);
        QuantizedWeight rounded =
            round_to_nearest(weight, static_cast<std::size_t>(weights.shape(name)[0]));
        result.push_back({node.name, relative_error(weight, rounded), {}});
        weights.set_int8(name, std::move(rounded));
    }
    return result;
}

std::vector<QuantizedLinear> quantize(const Graph& graph, ModelWeights& weights,
                                      const CalibrationImages& images,
                                      const std::function<void(double)>& progress) {
    smooth_channels(graph, weights, sample_rows(graph, weights, images.calibrated));
    const std::vector<Block> blocks = blocks_of(graph);
    // The images before a block, in a model of float linears and in one of int8 linears.
    Images in_float = images.calibrated;
    in_float.insert(in_float.end(), images.measured.begin(), images.measured.end());
    Images in_int8 = in_float;
    const std::size_t calibrated = images.calibrated.size();
    ValueId start = graph.image;
    std::vector<QuantizedLinear> result;
    for (std::size_t b = 0; b < blocks.size(); ++b) {
        const Block& block = blocks[b];
        progress(static_cast<double>(b) / static_cast<double>(blocks.size()));
        const std::vector<std::vector<double>> float_means =
            advance(graph, weights, start, block.output, block.groups, in_float, calibrated);
        for (std::size_t g = 0; g < block.groups.size(); ++g) {
            const Group& group = block.groups[g];
            Matrix rows = rows_of_images(graph, weights, {start, in_int8}, group.input);
            const std::int64_t rows_to_calibrate =
                graph.value(group.input).rows * static_cast<std::int64_t>(calibrated);
            GroupQuantizer quantizer(std::move(rows), rows_to_calibrate, float_means[g]);
            for (const Node* node : group.linears)
                result.push_back(quantizer.quantize(*node, weights));
        }
        if (b + 1 < blocks.size())
            advance(graph, weights, start, block.output, {}, in_int8, calibrated);
        start = block.output;
    }
    return result;
}

void keep_float(const QuantizedLinear& linear, ModelWeights& weights) {
    weights.drop_int8(linear.name + ".weight");
    if (!linear.float_bias.empty()) weights.set(linear.name + ".bias", linear.float_bias);
}

void add_errors(std::span<const QuantizedLinear> linears, QuantizationReport& report) {
    for (const QuantizedLinear& linear : linears) {
        report.linears.push_back(linear.name);
        report.errors.push_back(linear.error);
    }
}

void quantize_without_images(ModelHeader& header, ModelWeights& weights) {
    const Graph graph = build_vit(header.config, header.config.image_size);
    header.quantization.emplace();
    add_errors(quantize(graph, weights), *header.quantization);
    header.dtype = DType::i8;
}

}  // namespace vit::inline internal
