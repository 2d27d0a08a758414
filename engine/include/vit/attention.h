// The attention of a model's blocks to the tokens of an image.
#pragma once

#include "vit/config.h"
#ifdef VIT_CXX20

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "vit/model.h"

namespace vit {

/// Facts about a model's attention; plain data.
struct AttentionInfo {
    std::int64_t blocks = 0;
    std::int64_t heads = 0;  ///< of one block; of all its attentions, where there are several
    /// Row 0 of the tokens is a class token, and the features and logits are read from it. The rows
    /// of prefix tokens and patches are those of ModelInfo.
    bool reads_class_token = false;
    /// Every row is a set of weights: none is negative, and their sum is 1. false: differential
    /// attention, where a row is the difference of two such sets.
    bool sums_to_one = true;
};
VIT_API AttentionInfo attention_info(const Model& model);

/// Whose attention is computed.
enum class AttentionRows {
    first,  ///< only that of token 0, the class token where there is one
    all,    ///< that of every token
};

/// The attention weights of one block: what softmax(q kᵀ / √head_dim) gives (Vaswani et al., 2017).
/// In differential attention (Ye et al., 2024), the second softmax times lambda is subtracted. In a
/// block with several attentions side by side, the heads of the second follow those of the first.
struct AttentionMap {
    std::int64_t block = 0;
    std::int64_t heads = 0;
    std::int64_t rows = 0;       ///< 1, or as many as tokens
    std::int64_t tokens = 0;     ///< ModelInfo::tokens
    std::vector<float> weights;  ///< [heads, rows, tokens]
};

/// Runs `image`, [channels, height, width] float32, preprocessed, and calls `see` with the map of
/// each of `blocks`, in the order of `blocks`. Memory holds one map at a time. Queries and keys are
/// computed in the model's precision, the softmax in float32. In f32 the weights differ from timm's
/// by less than 1e-5. The first call prepares a second graph; it shares the weights of the model.
/// Other calls are as fast as before and give the same bits. Any number of threads may call this at
/// the same time. Throws Error(usage) where the image's size does not match or there is no such
/// block, Error(memory), and what `see` throws.
VIT_API void attention(const Model& model, std::span<const float> image,
                       std::span<const std::int64_t> blocks, AttentionRows rows,
                       const std::function<void(const AttentionMap&)>& see);
/// The same for one block.
VIT_API AttentionMap attention(const Model& model, std::span<const float> image, std::int64_t block,
                               AttentionRows rows);

}  // namespace vit

#endif  // VIT_CXX20
