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
    EXPECT_LT(test::relative_l2(logits_of(model.graph, model.weights, image), before), 0.1);

    // Everything can be undone, except the smoothing.
    for (const QuantizedLinear& linear : linears) keep_float(linear, model.weights);
    EXPECT_LT(test::relative_l2(logits_of(model.graph, model.weights, image), before), 2e-6);
}

INSTANTIATE_TEST_SUITE_P(Configs, QuantizeOf, testing::ValuesIn(test::small_configs()), name_of);

/// The mean error of the logits on images that calibration does not see.
double mean_error(const Loaded& before, const Loaded& after, const ModelConfig& config) {
    constexpr std::size_t count = 12;
    double sum = 0;
    for (const std::vector<float>& image : random_images(config, count, 500))
        sum += test::relative_l2(logits_of(after.graph, after.weights, image),
                                 logits_of(before.graph, before.weights, image));
    return sum / static_cast<double>(count);
}

TEST(Quantize, CalibrationHelps) {
    const ModelConfig config = test::small_config();
    const Loaded plain(config);
    Loaded nearest(config), calibrated(config);
    quantize(nearest.graph, nearest.weights);
    const CalibrationImages images{random_images(config, 16, 1), random_images(config, 2, 50)};
    quantize(calibrated.graph, calibrated.weights, images, [](double) {});
    EXPECT_LT(mean_error(plain, calibrated, config), 0.9 * mean_error(plain, nearest, config));
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
