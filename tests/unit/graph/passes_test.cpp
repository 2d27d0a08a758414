// A pass must not change what the graph computes. The graph is evaluated in float64 before and
// after.
#include "engine/graph/passes/passes.h"

#include <gmock/gmock.h>

#include <functional>

#include "engine/graph/build_vit.h"
#include "engine/graph/passes/rewrite.h"
#include "engine/graph/reference.h"
#include "tests/support/models.h"

namespace vit {
namespace {

struct NamedPass {
    std::string name;
    std::function<Graph(Graph)> run;
};

std::vector<NamedPass> passes() {
    return {
        {"remove_training_nodes", [](Graph g) { return remove_training_nodes(std::move(g)); }},
        {"fuse_embedding", [](Graph g) { return fuse_embedding(std::move(g)); }},
        {"fuse_linears", [](Graph g) { return fuse_linears(std::move(g)); }},
        {"demand_rows", [](Graph g) { return demand_rows(g); }},
        {"pack_heads", [](Graph g) { return pack_heads(g); }},
        {"prune", [](Graph g) { return prune(g); }},
        {"all",
         [](Graph g) {
             return optimise(std::move(g), {true, true, true});
         }},
        {"logits_only",
         [](Graph g) {
             return optimise(std::move(g), {true, false, false});
         }},
        {"features_only",
         [](Graph g) {
             return optimise(std::move(g), {false, true, false});
         }},
    };
}

template <class T>
int count(const Graph& graph) {
    int n = 0;
    for (const Node& node : graph.nodes) n += std::holds_alternative<T>(node.op);
    return n;
}

const Node& node_named(const Graph& graph, const std::string& name) {
    for (const Node& node : graph.nodes)
        if (node.name == name) return node;
    throw std::runtime_error("no node " + name);
}

Graph vit_b16() {
    return build_vit(ModelConfig{}, {224, 224});
}

class Passes : public testing::TestWithParam<test::NamedConfig> {};

TEST_P(Passes, KeepTheResults) {
    const ModelConfig& config = GetParam().config;
    const test::TemporaryModel model(config);
    const ModelFile file = ModelFile::open(model.path());
    const WeightMap weights(file, config.image_size);
    const std::vector<float> image = test::random_images(config, 1);
    const Graph built = build_vit(config, config.image_size);
    const ReferenceResult before = evaluate(built, weights, image);
    for (const NamedPass& pass : passes()) {
        SCOPED_TRACE(pass.name);
        const Graph after = pass.run(built);
        check(after);
        const ReferenceResult result = evaluate(after, weights, image);
        const auto same = [](const std::vector<double>& a, const std::vector<double>& b) {
            ASSERT_EQ(a.size(), b.size());
            EXPECT_LE(test::relative_l2(a, b), 1e-13);
        };
        if (after.logits != no_value) same(result.logits, before.logits);
        if (after.features != no_value) same(result.features, before.features);
        if (after.tokens != no_value) same(result.tokens, before.tokens);
        EXPECT_FALSE(after.results().empty());
    }
}

INSTANTIATE_TEST_SUITE_P(Configs, Passes, testing::ValuesIn(test::small_configs()),
                         [](const auto& config) { return config.param.name; });

TEST(RemoveTrainingNodes, LeavesNone) {
    ModelConfig config = test::small_config();
    config.pos_drop_rate = config.attn_drop_rate = config.proj_drop_rate = config.drop_rate = 0.1;
    config.drop_path_rate = 0.2;
    const Graph built = build_vit(config, config.image_size);
    EXPECT_EQ(count<op::Dropout>(built),
              2 + 3 * 3);  // positions and head; projection and two in each MLP
    EXPECT_EQ(count<op::DropPath>(built), 2 * 2);  // the first block's rate is zero
    EXPECT_DOUBLE_EQ(std::get<op::DropPath>(node_named(built, "blocks.2.drop_path2").op).rate, 0.2);
    EXPECT_DOUBLE_EQ(std::get<op::DropPath>(node_named(built, "blocks.1.drop_path1").op).rate, 0.1);

    const Graph after = remove_training_nodes(built);
    EXPECT_EQ(count<op::Dropout>(after) + count<op::DropPath>(after), 0);
    for (const Node& node : after.nodes)
        if (const auto* attention = std::get_if<op::Attention>(&node.op)) {
            EXPECT_EQ(attention->drop_rate, 0);
        }
}

TEST(FuseLinears, LeavesOnlyLinears) {
    const Graph after = fuse_linears(remove_training_nodes(vit_b16()));
    EXPECT_EQ(count<op::Add>(after), 0);
    EXPECT_EQ(count<op::Activate>(after), 0);
    EXPECT_EQ(node_named(after, "blocks.0.mlp.fc1").inputs.size(), 1u);
    EXPECT_EQ(std::get<op::Linear>(node_named(after, "blocks.0.mlp.fc1").op).activation,
              Activation::gelu);
    EXPECT_EQ(node_named(after, "blocks.0.mlp.fc2").inputs.size(), 2u);
}

TEST(FuseLinears, KeepsWhatIsReadTwice) {
    Graph g;
    g.image = g.add_value({1, 16});
    const ValueId y = g.add("fc", op::Linear{"w", "", "", {}}, {g.image}, 1, 16);
    g.logits = g.add("act", op::Activate{Activation::relu}, {y}, 1, 16);
    g.features = y;
    EXPECT_EQ(count<op::Activate>(fuse_linears(g)), 1);
}

TEST(FuseLinears, NeverAddsAResidualAfterAnActivation) {
    Graph g;
    g.image = g.add_value({1, 16});
    const ValueId y = g.add("fc", op::Linear{"w", "", "", {}}, {g.image}, 1, 16);
    const ValueId a = g.add("act", op::Activate{Activation::relu}, {y}, 1, 16);
    g.logits = g.add("add", op::Add{}, {g.image, a}, 1, 16);
    EXPECT_EQ(count<op::Add>(fuse_linears(g)), 1);
}

TEST(DemandRows, LastBlockComputesOneRowForTheClassToken) {
    const Graph built = keep_results(remove_training_nodes(vit_b16()), {true, false, false});
    const Graph after = demand_rows(built);
    const auto rows = [&](const std::string& name) {
        return after.value(node_named(after, name).output).rows;
    };
    EXPECT_EQ(rows("blocks.11.attn.k"), 197);
    EXPECT_EQ(rows("blocks.11.attn.v"), 197);
    EXPECT_EQ(rows("blocks.11.attn.q"), 1);
    EXPECT_EQ(rows("blocks.11.attn"), 1);
    EXPECT_EQ(rows("blocks.11.mlp.fc1"), 1);
    EXPECT_EQ(rows("norm"), 1);
    EXPECT_EQ(rows("blocks.10.mlp.fc2"), 197);
    EXPECT_NEAR(flop(built) * 1e-9, 35.13, 0.01);
    EXPECT_NEAR(flop(after) * 1e-9, 32.7, 0.05);
}

TEST(DemandRows, LeavesOutWhatAttentionPoolingDoesNotRead) {
    ModelConfig config = test::small_config();
    config.register_tokens = 3;
    config.pooling = Pooling::map;
    config.pool_heads = 4;
    config.pool_mlp_dim = 16;
    const Graph after = optimise(build_vit(config, config.image_size), {true, false, false});
    const auto rows = [&](const std::string& name) {
        return after.value(node_named(after, name).output).rows;
    };
    EXPECT_EQ(rows("blocks.2.attn.k"), 28);
    EXPECT_EQ(rows("blocks.2.attn.q"), 24);  // without prefix tokens
    EXPECT_EQ(rows("attn_pool.k"), 24);
    EXPECT_EQ(rows("attn_pool"), 1);
}

TEST(FuseEmbedding, LeavesOneNode) {
    for (const auto& [name, config] : test::small_configs()) {
        SCOPED_TRACE(name);
        const Graph graph = optimise(build_vit(config, config.image_size), {});
        EXPECT_EQ(graph.nodes[0].name, "embed");
        EXPECT_EQ(count<op::PatchEmbed>(graph) + count<op::AddPosition>(graph) +
                      count<op::PrependTokens>(graph),
                  0);
        const auto& embed = std::get<op::Embed>(graph.nodes[0].op);
        EXPECT_EQ(embed.table.empty(), !config.position_table);
        EXPECT_EQ(embed.norm.has_value(), config.embed_norm);
    }
}

TEST(ChoosePrecision, GivesEveryOperatorWhatItTakes) {
    for (const auto& [name, config] : test::small_configs()) {
        SCOPED_TRACE(name);
        const Graph graph =
            optimise(build_vit(config, config.image_size), {true, true, true}, {DType::bf16});
        for (const Node& node : graph.nodes) {
            const DType out = graph.value(node.output).type;
            for (std::size_t i = 0; i < node.inputs.size(); ++i) {
                const DType in = graph.value(node.inputs[i]).type;
                if (std::holds_alternative<op::Attention>(node.op) ||
                    std::holds_alternative<op::PackHeads>(node.op) ||
                    std::holds_alternative<op::SelectRows>(node.op)) {
                    EXPECT_EQ(in, out) << node.name;
                } else if (std::holds_alternative<op::Linear>(node.op) && i == 0) {
                    EXPECT_TRUE(in == DType::bf16 || out == DType::f32) << node.name;
                    EXPECT_EQ(in == DType::bf16, graph.value(node.output).rows > 1) << node.name;
                } else {
                    EXPECT_EQ(in, DType::f32) << node.name;
                }
            }
        }
    }
}

TEST(ChoosePrecision, RoundsWhatSeveralLinearsReadOnce) {
    ModelConfig config = test::small_config();
    config.block = BlockKind::res_post_norm;
    const Graph graph =
        optimise(build_vit(config, config.image_size), {true, true, true}, {DType::bf16});
    EXPECT_EQ(count<op::Round>(graph), 2 * config.depth);  // for q, k and v, and for fc1
    EXPECT_EQ(count<op::Round>(
                  optimise(build_vit(test::small_config(), config.image_size), {}, {DType::bf16})),
              0);
}

TEST(ChooseLayout, PutsInPanelsWhatTilesReadAlone) {
    for (const auto& [name, config] : test::small_configs())
        for (const Demand& demand : {Demand{}, Demand{true, true, true}}) {
            SCOPED_TRACE(name);
            const Graph graph =
                optimise(build_vit(config, config.image_size), demand, {DType::bf16, true});
            for (const Node& node : graph.nodes)
                for (std::size_t i = 0; i < node.inputs.size(); ++i) {
                    const Value& in = graph.value(node.inputs[i]);
                    const auto* attention = std::get_if<op::Attention>(&node.op);
                    if (std::holds_alternative<op::SelectRows>(node.op)) {
                        EXPECT_EQ(in.panels, graph.value(node.output).panels) << node.name;
                    } else if (in.panels) {
                        EXPECT_EQ(in.type, DType::bf16) << node.name;
                        EXPECT_EQ(i, 0u) << node.name;
                        EXPECT_TRUE(std::holds_alternative<op::Linear>(node.op) ||
                                    (attention && attention->head_dim % 32 == 0))
                            << node.name;
                    }
                }
            for (ValueId id : graph.results()) EXPECT_FALSE(graph.value(id).panels);
        }
}

// No linear layer of a plain ViT in bfloat16 has to copy its input, because the input is already in
// panels.
TEST(ChooseLayout, LeavesNoLinearOfAPlainViTToCopy) {
    for (const Demand& demand : {Demand{}, Demand{true, true, true}}) {
        const Graph graph = optimise(vit_b16(), demand, {DType::bf16, true});
        for (const Node& node : graph.nodes)
            if (std::holds_alternative<op::Linear>(node.op) ||
                std::holds_alternative<op::Attention>(node.op)) {
                const Value& in = graph.value(node.inputs[0]);
                EXPECT_EQ(in.panels, in.type == DType::bf16) << node.name;
            }
    }
    EXPECT_EQ(std::ranges::count_if(optimise(vit_b16(), {}, {DType::bf16}).values, &Value::panels),
              0)
        << "without tiles";
}

TEST(PackHeads, PacksTheValuesOfDifferentialAttentionOnce) {
    ModelConfig config = test::small_config();
    config.differential_attention = true;
    const Graph after = pack_heads(build_vit(config, config.image_size));
    EXPECT_EQ(count<op::PackHeads>(after), 3 * config.depth);
}

TEST(DemandRows, ChangesNothingForAveragePooling) {
    ModelConfig config = test::small_config();
    config.class_token = false;
    config.pooling = Pooling::avg;
    const Graph built = build_vit(config, config.image_size);
    const Graph after = demand_rows(built);
    EXPECT_EQ(after.nodes.size(), built.nodes.size());
    EXPECT_EQ(flop(after), flop(built));
}

TEST(DemandRows, ChangesNothingWhereTokensAreAskedFor) {
    const Graph built = keep_results(vit_b16(), {true, true, true});
    EXPECT_EQ(flop(demand_rows(built)), flop(built));
}

/// The weights of all linears of blocks, in order.
std::vector<std::string> block_weights(const Graph& graph) {
    std::vector<std::string> names;
    for (const Node& node : graph.nodes)
        if (const auto* linear = std::get_if<op::Linear>(&node.op))
            if (linear->weight.starts_with("blocks.")) names.push_back(linear->weight);
    std::ranges::sort(names);
    return names;
}

TEST(QuantizeLinears, ReadInt8ThatNormsOrQuantizeNodesWrite) {
    for (const auto& [name, config] : test::small_configs()) {
        SCOPED_TRACE(name);
        const Graph built = build_vit(config, config.image_size);
        const std::vector<std::string> weights = block_weights(built);
        for (const DType precision : {DType::f32, DType::bf16}) {
            const Graph graph = optimise(built, {true, true, true}, {precision, false, weights});
            check(graph);
            const std::vector<int> producer = producers(graph);
            for (const Node& node : graph.nodes) {
                const auto* linear = std::get_if<op::Linear>(&node.op);
                if (linear == nullptr) continue;
                const bool int8 = std::ranges::binary_search(weights, linear->weight);
                EXPECT_EQ(graph.value(node.inputs[0]).type == DType::i8, int8) << node.name;
                if (!int8) continue;
                ValueId id = node.inputs[0];
                while (std::holds_alternative<op::SelectRows>(
                    graph.nodes[static_cast<std::size_t>(producer[static_cast<std::size_t>(id)])]
                        .op))
                    id =
                        graph
                            .nodes[static_cast<std::size_t>(producer[static_cast<std::size_t>(id)])]
                            .inputs[0];
                const Op& maker =
                    graph.nodes[static_cast<std::size_t>(producer[static_cast<std::size_t>(id)])]
                        .op;
                EXPECT_TRUE(std::holds_alternative<op::LayerNorm>(maker) ||
                            std::holds_alternative<op::Quantize>(maker))
                    << node.name;
            }
            for (ValueId id : graph.results()) EXPECT_EQ(graph.value(id).type, DType::f32);
        }
    }
}

TEST(QuantizeLinears, ShareTheQuantizedRows) {
    const Graph built = build_vit(test::small_config(), test::small_config().image_size);
    const Graph graph = quantize_linears(built, block_weights(built));
    const auto count = [&](auto is) { return std::ranges::count_if(graph.nodes, is); };
    // In each of the three blocks: attention's output and GELU's. Norms write int8 themselves.
    EXPECT_EQ(count([](const Node& n) { return std::holds_alternative<op::Quantize>(n.op); }), 6);
    EXPECT_EQ(count([&](const Node& n) {
                  return std::holds_alternative<op::LayerNorm>(n.op) &&
                         graph.value(n.output).type == DType::i8;
              }),
              6);
}

}  // namespace
}  // namespace vit
