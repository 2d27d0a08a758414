// Compares small copies of all of timm's Vision Transformers in bfloat16 and in int8 with float64,
// on all kernels that this machine can run.
#include <gtest/gtest.h>

#include <utility>

#include "engine/graph/build_vit.h"
#include "engine/graph/reference.h"
#include "tests/unit/executor/same_bits.h"
#include "weights/mappings/timm/architectures.h"
#include "weights/mappings/timm/timm_config.h"

namespace vit {
namespace {

/// Two blocks of three heads, and an image of 3 × 2 patches plus the architecture's pixels beyond
/// whole patches.
ModelConfig small(const std::string& architecture, std::int64_t head_dim) {
    ModelConfig c = resolve_timm_config({architecture, {}, {}}, {}).config;
    c.image_size = {3 * c.patch_height + c.image_size.height % c.patch_height,
                    2 * c.patch_width + c.image_size.width % c.patch_width};
    c.depth = 2;
    c.heads = 3;
    c.head_dim = head_dim;
    c.mlp_dim = 5 * head_dim;
    c.embed_dim = 3 * head_dim;
    if (c.pool_heads > 0) c.pool_heads = 3;
    if (c.pool_mlp_dim > 0) c.pool_mlp_dim = 4 * head_dim;
    if (c.representation_size > 0) c.representation_size = 40;
    c.num_classes = c.num_classes > 0 ? 5 : 0;
    return c;
}

TEST(Architectures, AllAgreeWithTheReferenceInBfloat16) {
    int compared = 0;
    for (const Architecture& architecture : all_architectures())
        for (const std::int64_t head_dim : {16, 32}) {  // a head of 32 fills tiles
            const ModelConfig config = small(architecture.name, head_dim);
            const test::TemporaryModel model(config);
            const ModelFile file = ModelFile::open(model.path());
            const std::vector<float> image = test::random_images(config, 1);
            const ReferenceResult expected = evaluate(build_vit(config, config.image_size),
                                                      WeightMap(file, config.image_size), image);
            for (const Mode& mode : modes()) {
                if (mode.precision != DType::bf16) continue;
                SCOPED_TRACE(architecture.name + ", heads of " + std::to_string(head_dim) + ", " +
                             mode.name);
                const Executor executor(file, config.image_size, mode.kernels, 2, mode.precision);
                const Batch result = run(executor, image, 1);
                EXPECT_LE(test::relative_l2(result.logits, expected.logits), mode.tolerance);
                EXPECT_LE(test::relative_l2(result.features, expected.features), mode.tolerance);
                ++compared;
            }
        }
    if (compared == 0) GTEST_SKIP() << "nothing here runs bfloat16";
    EXPECT_GE(compared, 2 * 179);
}

/// The numbers of linears of blocks, and of those that read int8.
std::pair<int, int> linears_of_blocks(const Graph& graph) {
    std::pair<int, int> counts;
    for (const Node& node : graph.nodes) {
        if (!std::holds_alternative<op::Linear>(node.op) || !node.name.starts_with("blocks."))
            continue;
        ++counts.first;
        counts.second += graph.value(node.inputs[0]).type == DType::i8 ? 1 : 0;
    }
    return counts;
}

TEST(Architectures, AllRunTheirBlocksInInt8) {
    int compared = 0;
    for (const Architecture& architecture : all_architectures()) {
        SCOPED_TRACE(architecture.name);
        const ModelConfig config = small(architecture.name, 16);
        const test::TemporaryModel model(config, 7, DType::i8);
        const ModelFile file = ModelFile::open(model.path());
        EXPECT_TRUE(file.header().float_linears.empty());
        const std::vector<float> image = test::random_images(config, 1);
        const WeightMap weights(file, config.image_size);
        for (const kernels::Table* table : tables()) {
            const Executor executor(file, config.image_size,
                                    {*table, nullptr, &kernels::int8_table_for(table->isa)}, 2,
                                    DType::i8);
            const Graph graph = executor.optimised({true, true, false});
            const auto [all, int8] = linears_of_blocks(graph);
            EXPECT_GE(all, 12);
            EXPECT_EQ(int8, all);
            const ReferenceResult expected = evaluate(graph, weights, image);
            const Batch result = run(executor, image, 1);
            // As in int8_test.cpp.
            EXPECT_LE(test::relative_l2(result.logits, expected.logits), 5e-2);
            EXPECT_LE(test::relative_l2(result.features, expected.features), 5e-2);
        }
        ++compared;
    }
    EXPECT_GE(compared, 179);
}

}  // namespace
}  // namespace vit
