#include "weights/quantization/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/graph/passes/passes.h"
#include "engine/graph/reference.h"
#include "engine/model/model_tensors.h"
#include "tests/unit/quantization/loaded.h"
#include "vit/error.h"
#include "weights/quantization/smooth_channels.h"

namespace vit::inline internal {
namespace {

std::vector<double> logits_of(const Graph& graph, const ModelWeights& weights,
                              std::span<const float> image) {
    const std::vector<TensorView> views = weights.views();
    return evaluate(quantize_linears(graph, int8_weights(views)), WeightMap(views), image).logits;
}

/// The mean error of the logits on images that calibration does not see.
double mean_error(const Loaded& before, const Loaded& after, const ModelConfig& config) {
    constexpr std::size_t count = 12;
    double sum = 0;
    for (const std::vector<float>& image : random_images(config, count, 500))
        sum += test::relative_l2(logits_of(after.graph, after.weights, image),
                                 logits_of(before.graph, before.weights, image));
    return sum / static_cast<double>(count);
}

std::string name_of(const testing::TestParamInfo<test::NamedConfig>& info) {
    return info.param.name;
}

class QuantizeOf : public testing::TestWithParam<test::NamedConfig> {
  protected:
    const ModelConfig& config() const { return GetParam().config; }
};

TEST_P(QuantizeOf, SmoothingKeepsTheFunction) {
    Loaded model(config());
    const std::vector<float> image = test::random_images(config(), 1);
    const std::vector<double> before = logits_of(model.graph, model.weights, image);
    smooth_channels(model.graph, model.weights);
    EXPECT_LT(test::relative_l2(logits_of(model.graph, model.weights, image), before), 2e-6);
}

TEST_P(QuantizeOf, CalibrationFindsEveryLinearAndKeepsTheFunction) {
    Loaded model(config());
    const std::vector<float> image = test::random_images(config(), 1, 99);
    const std::vector<double> before = logits_of(model.graph, model.weights, image);
    const CalibrationImages images{random_images(config(), 3, 1), random_images(config(), 2, 50)};
    double last = -1;
    const std::vector<QuantizedLinear> linears =
        quantize(model.graph, model.weights, images, [&](double share) {
            EXPECT_GE(share, last);
            EXPECT_LT(share, 1);
            last = share;
        });
    std::vector<std::string> expected, found;
    ModelHeader header;
    header.config = config();
    header.dtype = DType::i8;
    for (const TensorSpec& tensor : required_tensors(config()))
        if (stored_dtype(tensor, header) == DType::i8) expected.push_back(tensor.name);
    for (const QuantizedLinear& linear : linears) {
        found.push_back(linear.name + ".weight");
        EXPECT_GT(linear.error, 0) << linear.name;
        EXPECT_LT(linear.error, 0.2) << linear.name;
    }
    std::ranges::sort(expected);
    std::ranges::sort(found);
    EXPECT_EQ(found, expected);
    EXPECT_LT(mean_error(Loaded(config()), model, config()), 0.1);

    // Everything can be undone, except the smoothing.
    for (const QuantizedLinear& linear : linears) keep_float(linear, model.weights);
    EXPECT_LT(test::relative_l2(logits_of(model.graph, model.weights, image), before), 2e-6);
}

INSTANTIATE_TEST_SUITE_P(Configs, QuantizeOf, testing::ValuesIn(test::small_configs()), name_of);

TEST(Quantize, CalibrationHelps) {
    const ModelConfig config = test::small_config();
    const Loaded plain(config);
    Loaded nearest(config), calibrated(config);
    quantize(nearest.graph, nearest.weights);
    const CalibrationImages images{random_images(config, 16, 1), random_images(config, 2, 50)};
    quantize(calibrated.graph, calibrated.weights, images, [](double) {});
    EXPECT_LT(mean_error(plain, calibrated, config), 0.9 * mean_error(plain, nearest, config));
}

/// Multiplies the first channel of a norm, and divides the weights that read it by the same number.
void make_outlier(const ModelConfig& config, ModelWeights& weights, float factor) {
    for (const char* name : {"blocks.0.norm2.weight", "blocks.0.norm2.bias"})
        weights.change(name)[0] *= factor;
    const auto in = static_cast<std::size_t>(config.embed_dim);
    const std::span<float> weight = weights.change("blocks.0.mlp.fc1.weight");
    for (std::size_t i = 0; i < weight.size(); i += in) weight[i] /= factor;
}

TEST(SmoothChannels, UndoesAnOutlier) {
    const ModelConfig config = test::small_config();
    const Loaded plain(config);
    Loaded even(config), outlier(config);
    make_outlier(config, outlier.weights, 64);
    quantize(even.graph, even.weights);
    quantize(outlier.graph, outlier.weights);
    EXPECT_LT(mean_error(plain, outlier, config), 1.3 * mean_error(plain, even, config));
}

TEST(SmoothChannels, IsOffWhereNothingIsLost) {
    // Rows of equal values and weights of 1 and 1/2 are exact in int8. Every strength would
    // multiply the columns of 1/2 by a number that makes them inexact.
    const ModelConfig config = test::small_config();
    Loaded model(config);
    const std::string norm = "blocks.0.norm2.weight", fc1 = "blocks.0.mlp.fc1.weight";
    std::vector<float> weight(model.weights.floats(fc1).size());
    for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = i % 3 == 0 ? 1.0f : -0.5f;
    model.weights.set(fc1, weight);
    const std::vector<float> before(model.weights.floats(norm).begin(),
                                    model.weights.floats(norm).end());
    Matrix rows(16, static_cast<std::int64_t>(before.size()));
    for (std::int64_t r = 0; r < rows.rows; ++r)
        std::fill_n(rows.row(r), rows.cols, static_cast<float>(r));
    RowsOfValues samples;
    for (const Node& node : model.graph.nodes)
        if (node.name == "blocks.0.norm2") samples[node.output] = rows;
    ASSERT_EQ(samples.size(), 1u);
    smooth_channels(model.graph, model.weights, samples);
    EXPECT_TRUE(std::ranges::equal(model.weights.floats(norm), before));
}

TEST(Quantize, RefusesWeightsThatAreNotFinite) {
    const ModelConfig config = test::small_config();
    Loaded model(config);
    std::vector<float> bad(model.weights.floats("blocks.1.mlp.fc1.weight").begin(),
                           model.weights.floats("blocks.1.mlp.fc1.weight").end());
    bad[5] = std::nanf("");
    const TensorView view{"blocks.1.mlp.fc1.weight", DType::f32,
                          model.weights.shape("blocks.1.mlp.fc1.weight"),
                          std::as_bytes(std::span(bad))};
    std::vector<TensorView> tensors = model.file.tensors();
    *std::ranges::find(tensors, view.name, &TensorView::name) = view;
    ModelWeights weights(tensors);
    try {
        quantize(model.graph, weights);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::model);
        EXPECT_NE(std::string(error.what()).find("blocks.1.mlp.fc1.weight"), std::string::npos);
    }
}

}  // namespace
}  // namespace vit::inline internal
