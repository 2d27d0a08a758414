#include "engine/graph/build_vit.h"

#include <gmock/gmock.h>

#include <set>

#include "engine/graph/print.h"
#include "tests/support/models.h"
#include "vit/error.h"

namespace vit {
namespace {

using testing::HasSubstr;

TEST(BuildVit, IsAValidGraphForEveryConfig) {
    for (const auto& [name, config] : test::small_configs()) {
        SCOPED_TRACE(name);
        const Graph graph = build_vit(config, config.image_size);
        EXPECT_NO_THROW(check(graph));
        const std::int64_t patches = config.image_size.height / config.patch_height *
                                     (config.image_size.width / config.patch_width);
        EXPECT_EQ(graph.value(graph.tokens).rows, patches + config.prefix_tokens());
    }
}

TEST(BuildVit, UsesEveryTensorOfTheModelFileOnce) {
    for (const auto& [name, config] : test::small_configs()) {
        SCOPED_TRACE(name);
        std::multiset<std::string> used, required;
        for (const Node& node : build_vit(config, config.image_size).nodes)
            for (const std::string& weight : weight_names(node.op)) used.insert(weight);
        for (const TensorSpec& tensor : required_tensors(config)) required.insert(tensor.name);
        EXPECT_EQ(used, required);
    }
}

TEST(BuildVit, RefusesAnImageWithoutAWholePatch) {
    try {
        build_vit(ModelConfig{}, {224, 15});
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::usage);
        EXPECT_THAT(e.what(), HasSubstr("224x15: expected at least one patch of 16x16"));
    }
}

TEST(Check, NamesTheNodeThatDoesNotFit) {
    Graph graph = build_vit(test::small_config(), test::small_config().image_size);
    for (Node& node : graph.nodes)
        if (node.name == "blocks.1.add1") node.inputs[1] = graph.logits;
    try {
        check(graph);
        FAIL();
    } catch (const Error& e) {
        EXPECT_THAT(e.what(), HasSubstr("blocks.1.add1"));
    }
}

TEST(Print, ShowsEveryNode) {
    ModelConfig config = test::small_config();
    config.drop_path_rate = 0.25;
    const Graph graph = build_vit(config, config.image_size);
    const std::string text = print_text(graph), dot = print_dot(graph);
    for (const Node& node : graph.nodes) {
        EXPECT_THAT(text, HasSubstr(node.name));
        EXPECT_THAT(dot, HasSubstr(node.name));
    }
    EXPECT_THAT(text, HasSubstr("drop_path 0.25"));
    EXPECT_THAT(dot, HasSubstr("digraph"));
}

}  // namespace
}  // namespace vit
