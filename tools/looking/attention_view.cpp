#include "tools/looking/attention_view.h"

#include <fmt/format.h>

#include <vector>

#include "vit/attention.h"

namespace vit::looking {

namespace {

/// The patches' part of a row of tokens.
template <class Number>
pictures::Grid patches_of(const ModelInfo& info, const std::vector<Number>& tokens) {
    pictures::Grid grid{info.grid_rows, info.grid_columns, {}};
    for (auto token = tokens.begin() + info.prefix_tokens; token != tokens.end(); ++token)
        grid.values.push_back(static_cast<float>(*token));
    return grid;
}

/// Adds `factor` times row `row` of each of the heads [first, last) to `sum` [tokens].
void add_row(const AttentionMap& map, std::int64_t row, std::int64_t first, std::int64_t last,
             double factor, std::vector<double>& sum) {
    for (std::int64_t head = first; head < last; ++head) {
        const float* const weights = map.weights.data() + (head * map.rows + row) * map.tokens;
        for (std::size_t t = 0; t < sum.size(); ++t) sum[t] += factor * weights[t];
    }
}

}  // namespace

pictures::Grid class_attention(const Model& model, std::span<const float> image, std::int64_t block,
                               std::optional<std::int64_t> head) {
    const AttentionMap map = attention(model, image, block, AttentionRows::first);
    if (head && (*head < 0 || *head >= map.heads))
        throw Error(ErrorKind::usage, fmt::format("head {}: expected one of the block's heads, 0 "
                                                  "to {}",
                                                  *head, map.heads - 1));
    const std::int64_t first = head.value_or(0), last = head ? *head + 1 : map.heads;
    std::vector<double> sum(static_cast<std::size_t>(map.tokens));
    add_row(map, 0, first, last, 1 / static_cast<double>(last - first), sum);
    return patches_of(model.info(), sum);
}

std::vector<double> rollout(const Model& model, std::span<const float> image) {
    std::vector<std::int64_t> blocks;
    for (std::int64_t block = attention_info(model).blocks; block-- > 0;) blocks.push_back(block);
    // Only one row of the product is needed, so a row is multiplied from the last block to the
    // first. That takes tokens² steps a block, not tokens³.
    std::vector<double> row(static_cast<std::size_t>(model.info().tokens));
    row[0] = 1;
    attention(model, image, blocks, AttentionRows::all, [&](const AttentionMap& map) {
        std::vector<double> next(row.size());
        for (std::size_t t = 0; t < row.size(); ++t) {
            next[t] += 0.5 * row[t];
            add_row(map, static_cast<std::int64_t>(t), 0, map.heads,
                    0.5 * row[t] / static_cast<double>(map.heads), next);
        }
        row = std::move(next);
    });
    return row;
}

pictures::Grid rollout_of_patches(const Model& model, std::span<const float> image) {
    return patches_of(model.info(), rollout(model, image));
}

}  // namespace vit::looking
