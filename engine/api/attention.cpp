#include "vit/attention.h"

#include <atomic>
#include <string>

#include "engine/api/guard.h"
#include "engine/api/model_impl.h"
#include "engine/base/threads.h"
#include "engine/executor/attention_weights.h"
#include "engine/graph/block_attention.h"

namespace vit {

namespace {

void expect_block(std::int64_t block, std::int64_t depth) {
    if (block < 0 || block >= depth)
        throw Error(ErrorKind::usage, "block " + std::to_string(block) +
                                          ": expected one of the model's blocks, 0 to " +
                                          std::to_string(depth - 1));
}

/// The queries and keys of these blocks, in the order in which fill_map() takes them.
std::vector<ValueId> queries_and_keys(const Graph& built, std::int64_t first, std::int64_t last) {
    std::vector<ValueId> values;
    for (std::int64_t block = first; block < last; ++block)
        for (const BlockAttention& each : attentions_of_block(built, block)) {
            values.insert(values.end(), {each.softmax.q, each.softmax.k});
            if (each.subtracted)
                values.insert(values.end(), {each.subtracted->q, each.subtracted->k});
        }
    return values;
}

/// One head of a block: its softmax, and the one that is subtracted `factor` times.
struct Head {
    QueriesAndKeys softmax, subtracted;
    std::int64_t index = 0;
    float factor = 0;
};

QueriesAndKeys bound(const SoftmaxNode& node, std::span<const Rows>& rows) {
    const QueriesAndKeys found{rows[0], rows[1], node.heads, node.head_dim, node.scale};
    rows = rows.subspan(2);
    return found;
}

/// The heads of a block, whose queries and keys are the first of `rows`. Removes them from `rows`.
std::vector<Head> heads_of(const Model::Impl& impl, std::int64_t block,
                           std::span<const Rows>& rows) {
    std::vector<Head> heads;
    for (const BlockAttention& each : attentions_of_block(impl.executor.built(), block)) {
        Head head;
        head.softmax = bound(each.softmax, rows);
        if (each.subtracted) {
            head.subtracted = bound(*each.subtracted, rows);
            head.factor = impl.executor.model().weights().get(each.factor)[0];
        }
        for (head.index = 0; head.index < head.softmax.heads; ++head.index) heads.push_back(head);
    }
    return heads;
}

void fill_head(const Head& head, std::int64_t rows, std::span<float> out) {
    attention_weights(head.softmax, head.index, rows, out);
    if (head.factor == 0) return;
    std::vector<float> second(out.size());
    attention_weights(head.subtracted, head.index, rows, second);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] -= head.factor * second[i];
}

void fill_map(const std::vector<Head>& heads, int threads, AttentionMap& map) {
    map.heads = static_cast<std::int64_t>(heads.size());
    const auto size = static_cast<std::size_t>(map.rows * map.tokens);
    map.weights.resize(heads.size() * size);
    std::atomic<std::size_t> next = 0;
    parallel(threads, [&](int, int) {
        for (std::size_t h; (h = next.fetch_add(1)) < heads.size();)
            fill_head(heads[h], map.rows, std::span(map.weights).subspan(h * size, size));
    });
}

/// Which blocks' queries and keys a run keeps: those of one block, or of all. So a model has few
/// graphs of this kind.
void run(const Model::Impl& impl, std::span<const float> image,
         std::span<const std::int64_t> blocks, AttentionRows rows,
         const std::function<void(const AttentionMap&)>& see) {
    const std::int64_t depth = impl.file.header().config.depth;
    for (const std::int64_t block : blocks) expect_block(block, depth);
    impl.expect_images(image, 1);
    if (blocks.empty()) return;
    const std::int64_t first = blocks.size() == 1 ? blocks[0] : 0,
                       last = blocks.size() == 1 ? first + 1 : depth;
    const std::vector<ValueId> values = queries_and_keys(impl.executor.built(), first, last);
    impl.executor.inspect(image.data(), values, [&](std::span<const Rows> found) {
        std::vector<std::vector<Head>> heads;
        for (std::int64_t block = first; block < last; ++block)
            heads.push_back(heads_of(impl, block, found));
        AttentionMap map;
        map.tokens = impl.info.tokens;
        map.rows = rows == AttentionRows::first ? 1 : map.tokens;
        for (const std::int64_t block : blocks) {
            map.block = block;
            fill_map(heads[static_cast<std::size_t>(block - first)], impl.info.threads, map);
            call_callers(see, map);
        }
    });
}

}  // namespace

AttentionInfo attention_info(const Model& model) {
    const ModelConfig& config = model.impl().file.header().config;
    const bool several = config.block == BlockKind::parallel_things;
    return {config.depth, config.heads * (several ? config.parallel : 1),
            config.class_token &&
                (config.pooling == Pooling::token || config.mean_head || config.distillation_token),
            !config.differential_attention};
}

void attention(const Model& model, std::span<const float> image,
               std::span<const std::int64_t> blocks, AttentionRows rows,
               const std::function<void(const AttentionMap&)>& see) {
    guarded("attention", [&] { run(model.impl(), image, blocks, rows, see); });
}

AttentionMap attention(const Model& model, std::span<const float> image, std::int64_t block,
                       AttentionRows rows) {
    AttentionMap result;
    attention(model, image, std::span(&block, 1), rows,
              [&](const AttentionMap& map) { result = map; });
    return result;
}

}  // namespace vit
