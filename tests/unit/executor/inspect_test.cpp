// Executor::inspect shows the same queries and keys in every mode and for every number of threads.
#include <gtest/gtest.h>

#include "engine/executor/attention_weights.h"
#include "engine/graph/block_attention.h"
#include "tests/unit/executor/same_bits.h"

namespace vit {
namespace {

/// The attention weights of every block and head, one after another.
std::vector<float> all_weights(const Executor& executor, std::span<const float> image) {
    const std::int64_t tokens = executor.built().value(executor.built().tokens).rows;
    std::vector<ValueId> values;
    std::vector<SoftmaxNode> nodes;
    for (std::int64_t block = 0;; ++block) {
        const std::vector<BlockAttention> found = attentions_of_block(executor.built(), block);
        if (found.empty()) break;
        for (const BlockAttention& each : found) nodes.push_back(each.softmax);
    }
    for (const SoftmaxNode& node : nodes) values.insert(values.end(), {node.q, node.k});
    std::vector<float> result;
    executor.inspect(image.data(), values, [&](std::span<const Rows> rows) {
        for (std::size_t n = 0; n < nodes.size(); ++n)
            for (std::int64_t head = 0; head < nodes[n].heads; ++head) {
                std::vector<float> weights(static_cast<std::size_t>(tokens * tokens));
                attention_weights({rows[2 * n], rows[2 * n + 1], nodes[n].heads, nodes[n].head_dim,
                                   nodes[n].scale},
                                  head, tokens, weights);
                result.insert(result.end(), weights.begin(), weights.end());
            }
    });
    return result;
}

TEST(Inspect, ShowsTheSameInEveryMode) {
    for (const std::string name : {"small", "qk_norm", "wide_heads"}) {
        ModelConfig config = test::small_config();
        config.qk_norm = name == "qk_norm";
        if (name == "wide_heads") config.head_dim = 32;  // queries could be stored in panels
        SCOPED_TRACE(name);
        const test::TemporaryModel model(config);
        const ModelFile file = ModelFile::open(model.path());
        const std::vector<float> image = test::random_images(config, 1);
        const Executor plain(file, config.image_size, {*kernels::table_for(kernels::Isa::baseline)},
                             1);
        const std::vector<float> expected = all_weights(plain, image);
        ASSERT_EQ(expected.size(), static_cast<std::size_t>(config.depth * config.heads * 25 * 25));
        for (const Mode& mode : modes()) {
            SCOPED_TRACE(mode.name);
            const Executor one(file, config.image_size, mode.kernels, 1, mode.precision);
            const std::vector<float> found = all_weights(one, image);
            EXPECT_LT(test::relative_l2(found, expected), 2 * mode.tolerance);
            for (const int threads : {2, 3}) {
                const Executor more(file, config.image_size, mode.kernels, threads, mode.precision);
                EXPECT_EQ(all_weights(more, image), found) << threads << " threads";
            }
        }
    }
}

TEST(Inspect, LeavesResultsUnchanged) {
    const ModelConfig config = test::small_config();
    const test::TemporaryModel model(config);
    const ModelFile file = ModelFile::open(model.path());
    const std::vector<float> images = test::random_images(config, 3);
    for (const Mode& mode : modes()) {
        const Executor executor(file, config.image_size, mode.kernels, 2, mode.precision);
        const Batch before = run(executor, images, 3);
        (void)all_weights(executor, images);
        EXPECT_EQ(run(executor, images, 3), before) << mode.name;
    }
}

}  // namespace
}  // namespace vit
