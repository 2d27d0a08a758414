#include "engine/graph/build_vit.h"

#include <gmock/gmock.h>

#include <set>

#include "engine/graph/print.h"
#include "engine/model/model_tensors.h"
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
            for (const std::string& weight : weight_names(node.op)) {
                // The two softmaxes of differential attention share their norms.
                const bool shared = weight.find(".q_norm.") != weight.npos ||
                                    weight.find(".k_norm.") != weight.npos;
                if (!shared || !config.differential_attention || !used.contains(weight))
                    used.insert(weight);
            }
        for (const TensorSpec& tensor : required_tensors(config)) required.insert(tensor.name);
        EXPECT_EQ(used, required);
    }
}

TEST(BuildVit, HasTheNodesOfEveryKindOfBlock) {
    const auto nodes = [](auto change) {
        ModelConfig config = test::small_config();
        config.depth = 1;
        change(config);
        std::vector<std::string> names;
        for (const Node& node : build_vit(config, config.image_size).nodes)
            if (node.name.starts_with("blocks.0.")) names.push_back(node.name.substr(9));
        return names;
    };
    using testing::ElementsAre;
    EXPECT_THAT(nodes([](ModelConfig& c) {
                    c.block = BlockKind::parallel_scaling;
                    c.qk_norm = true;
                }),
                ElementsAre("norm1", "attn.v", "attn.q", "attn.q_norm", "attn.k", "attn.k_norm",
                            "attn", "attn.proj", "add1", "mlp.fc1", "mlp.act", "mlp.fc2", "add2"));
    EXPECT_THAT(nodes([](ModelConfig& c) {
                    c.block = BlockKind::res_post_norm;
                    c.glu = c.scale_attn_norm = c.scale_mlp_norm = true;
                }),
                ElementsAre("attn.v", "attn.q", "attn.k", "attn", "attn.norm", "attn.proj", "norm1",
                            "add1", "mlp.fc1", "mlp.gate", "mlp.act", "mlp.gated", "mlp.norm",
                            "mlp.fc2", "norm2", "add2"));
    EXPECT_THAT(nodes([](ModelConfig& c) { c.differential_attention = true; }),
                ElementsAre("norm1", "attn.v", "attn.q1", "attn.k1", "attn1", "attn.q2", "attn.k2",
                            "attn2", "attn.difference", "attn.sub_norm", "attn.proj", "add1",
                            "norm2", "mlp.fc1", "mlp.act", "mlp.fc2", "add2"));
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

TEST(Check, RefusesHeadsAndGroupsThatDoNotFit) {
    const auto refused = [](auto change, const char* message) {
        ModelConfig config = test::small_config();
        config.qk_norm = true;
        Graph graph = build_vit(config, config.image_size);
        for (Node& node : graph.nodes) change(node.op);
        try {
            check(graph);
            FAIL() << message;
        } catch (const Error& e) {
            EXPECT_THAT(e.what(), HasSubstr(message));
        }
    };
    const auto attention = [](auto change) {
        return [change](Op& op) {
            if (auto* a = std::get_if<op::Attention>(&op)) change(*a);
        };
    };
    refused(attention([](op::Attention& a) { a.head_dim = 10; }), "blocks.0.attn: columns of quer");
    refused(attention([](op::Attention& a) { a.value_dim = 10; }), "blocks.0.attn: columns of val");
    refused(
        [](Op& op) {
            if (auto* n = std::get_if<op::LayerNorm>(&op)) n->groups *= 3;
        },
        "blocks.0.norm1: its groups do not divide the columns");
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
