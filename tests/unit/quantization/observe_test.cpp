#include "weights/quantization/observe.h"

#include <gtest/gtest.h>

#include "tests/unit/quantization/loaded.h"
#include "weights/quantization/quantize.h"

namespace vit::inline internal {
namespace {

std::vector<ValueId> linear_inputs(const Graph& graph) {
    std::vector<ValueId> values;
    for (const Node& node : graph.nodes)
        if (std::holds_alternative<op::Linear>(node.op)) values.push_back(node.inputs[0]);
    return values;
}

using Seen = std::vector<std::vector<std::vector<float>>>;  // [value][image]

Seen observed(const Loaded& model, std::span<const ValueId> values, const Images& images) {
    Seen seen(values.size(), std::vector<std::vector<float>>(images.size()));
    observe(model.graph, model.weights, {model.graph.image, images}, values,
            [&](std::size_t image, std::size_t value, MatrixView rows) {
                for (std::int64_t r = 0; r < rows.rows; ++r)
                    seen[value][image].insert(seen[value][image].end(), rows.data + r * rows.stride,
                                              rows.data + r * rows.stride + rows.cols);
            });
    return seen;
}

TEST(Observe, ShowsTheSameValuesAloneAndTogether) {
    const ModelConfig config = test::small_config();
    for (const bool int8 : {false, true}) {
        Loaded model(config);
        if (int8) quantize(model.graph, model.weights);
        const Images images = random_images(config, 3, 1);
        const std::vector<ValueId> values = linear_inputs(model.graph);
        const Seen together = observed(model, values, images);
        for (std::size_t v = 0; v < values.size(); ++v) {
            const Seen alone = observed(model, std::span(values).subspan(v, 1), images);
            EXPECT_EQ(alone[0], together[v]) << v << ' ' << int8;
        }
    }
}

TEST(Observe, StartsInTheMiddle) {
    const ModelConfig config = test::small_config();
    const Loaded model(config);
    const Images images = random_images(config, 5, 1);
    ValueId middle = no_value;
    for (const Node& node : model.graph.nodes)
        if (node.name == "blocks.0.add2") middle = node.output;
    const ValueId values[] = {middle, model.graph.logits};
    const Seen expected = observed(model, values, images);
    Seen seen(1, std::vector<std::vector<float>>(images.size()));
    observe(model.graph, model.weights, {middle, expected[0]}, std::span(values).subspan(1),
            [&](std::size_t image, std::size_t, MatrixView row) {
                seen[0][image].assign(row.data, row.data + row.cols);
            });
    EXPECT_EQ(seen[0], expected[1]);
}

}  // namespace
}  // namespace vit::inline internal
