#include "weights/mappings/transformers/transformers_rules.h"

#include <algorithm>
#include <array>

namespace vit::inline internal {

namespace {

using enum TensorTransform;

constexpr std::string_view masking = "of masked image modelling, which is training";
constexpr std::string_view text_half = "of the text half";
constexpr std::string_view unread = "this class of transformers does not read it";

/// The rules that ViT, DeiT and DINOv2 share.
constexpr std::array shared{
    MappingRule{"~embeddings.patch_embeddings.projection.$", "patch_embed.$"},
    MappingRule{"~embeddings.cls_token", "cls_token", squeeze},
    MappingRule{"~embeddings.position_embeddings", "pos_embed", position_table},
    MappingRule{"~embeddings.mask_token", "", drop, masking},

    MappingRule{"~encoder.layer.#.attention.attention.query.$", "blocks.#.attn.q.$"},
    MappingRule{"~encoder.layer.#.attention.attention.key.$", "blocks.#.attn.k.$"},
    MappingRule{"~encoder.layer.#.attention.attention.value.$", "blocks.#.attn.v.$"},
    MappingRule{"~encoder.layer.#.attention.output.dense.$", "blocks.#.attn.proj.$"},

    MappingRule{"~layernorm.$", "norm.$"},
};

template <std::size_t m, std::size_t n>
constexpr std::array<MappingRule, m + n> joined(const std::array<MappingRule, m>& a,
                                                const std::array<MappingRule, n>& b) {
    std::array<MappingRule, m + n> all{};
    std::ranges::copy(b, std::ranges::copy(a, all.begin()).out);
    return all;
}

constexpr std::array vit_own{
    MappingRule{"~embeddings.distillation_token", "dist_token", squeeze},
    MappingRule{"~embeddings.distillation_token", "reg_token", squeeze,
                "as a register: its own output is not read"},

    MappingRule{"~encoder.layer.#.layernorm_before.$", "blocks.#.norm1.$"},
    MappingRule{"~encoder.layer.#.layernorm_after.$", "blocks.#.norm2.$"},
    MappingRule{"~encoder.layer.#.intermediate.dense.$", "blocks.#.mlp.fc1.$"},
    MappingRule{"~encoder.layer.#.output.dense.$", "blocks.#.mlp.fc2.$"},

    MappingRule{"~pooler.dense.$", "pre_logits.$"},
    MappingRule{"classifier.$", "head.$"},
    MappingRule{"cls_classifier.$", "head.$"},
    MappingRule{"distillation_classifier.$", "head_dist.$"},
};
constexpr std::array vit = joined(shared, vit_own);

constexpr std::array dinov2_own{
    MappingRule{"~embeddings.register_tokens", "reg_token", squeeze},

    MappingRule{"~encoder.layer.#.norm1.$", "blocks.#.norm1.$"},
    MappingRule{"~encoder.layer.#.layer_scale1.lambda1", "blocks.#.ls1"},
    MappingRule{"~encoder.layer.#.norm2.$", "blocks.#.norm2.$"},
    MappingRule{"~encoder.layer.#.mlp.fc1.$", "blocks.#.mlp.fc1.$"},
    MappingRule{"~encoder.layer.#.mlp.fc2.$", "blocks.#.mlp.fc2.$"},
    MappingRule{"~encoder.layer.#.mlp.weights_in.$", "blocks.#.mlp.{gate,fc1}.$", split_rows},
    MappingRule{"~encoder.layer.#.mlp.weights_out.$", "blocks.#.mlp.fc2.$"},
    MappingRule{"~encoder.layer.#.layer_scale2.lambda1", "blocks.#.ls2"},

    MappingRule{"classifier.weight", "{head,head_mean}.weight", split_columns},
    MappingRule{"classifier.bias", "head.bias"},
};
constexpr std::array dinov2 = joined(shared, dinov2_own);

constexpr std::array clip{
    MappingRule{"~embeddings.patch_embedding.$", "patch_embed.$"},
    MappingRule{"~embeddings.class_embedding", "cls_token"},
    MappingRule{"~embeddings.position_embedding.weight", "pos_embed", position_table},
    MappingRule{"~embeddings.position_ids", "", drop, "the numbers 0, 1, 2 and so on"},
    MappingRule{"~pre_layrnorm.$", "norm_pre.$"},

    MappingRule{"~encoder.layers.#.layer_norm1.$", "blocks.#.norm1.$"},
    MappingRule{"~encoder.layers.#.self_attn.q_proj.$", "blocks.#.attn.q.$"},
    MappingRule{"~encoder.layers.#.self_attn.k_proj.$", "blocks.#.attn.k.$"},
    MappingRule{"~encoder.layers.#.self_attn.v_proj.$", "blocks.#.attn.v.$"},
    MappingRule{"~encoder.layers.#.self_attn.out_proj.$", "blocks.#.attn.proj.$"},
    MappingRule{"~encoder.layers.#.layer_norm2.$", "blocks.#.norm2.$"},
    MappingRule{"~encoder.layers.#.mlp.fc1.$", "blocks.#.mlp.fc1.$"},
    MappingRule{"~encoder.layers.#.mlp.fc2.$", "blocks.#.mlp.fc2.$"},

    MappingRule{"~post_layernorm.$", "norm.$"},
    MappingRule{"~head.probe", "attn_pool.latent", squeeze},
    MappingRule{"~head.attention.in_proj_$", "attn_pool.{q,k,v}.$", split_rows},
    MappingRule{"~head.attention.out_proj.$", "attn_pool.proj.$"},
    MappingRule{"~head.layernorm.$", "attn_pool.norm.$"},
    MappingRule{"~head.mlp.fc1.$", "attn_pool.mlp.fc1.$"},
    MappingRule{"~head.mlp.fc2.$", "attn_pool.mlp.fc2.$"},
    MappingRule{"visual_projection.weight", "head.weight"},
    MappingRule{"classifier.$", "head.$"},

    MappingRule{"text_model.*", "", drop, text_half},
    MappingRule{"text_projection.weight", "", drop, text_half},
    MappingRule{"logit_scale", "", drop, text_half},
    MappingRule{"logit_bias", "", drop, text_half},
};

constexpr std::array pooler{
    MappingRule{"~pooler.*", "", drop, unread},
};

constexpr std::array post_norm{
    MappingRule{"~post_layernorm.*", "", drop, unread},
};

constexpr std::array pooling_head{
    MappingRule{"~head.*", "", drop, unread},
};

constexpr std::array projection{
    MappingRule{"visual_projection.*", "", drop, unread},
};

}  // namespace

std::span<const MappingRule> transformers_vit_rules() {
    return vit;
}
std::span<const MappingRule> transformers_dinov2_rules() {
    return dinov2;
}
std::span<const MappingRule> transformers_clip_rules() {
    return clip;
}
std::span<const MappingRule> transformers_unread_pooler() {
    return pooler;
}
std::span<const MappingRule> transformers_unread_post_norm() {
    return post_norm;
}
std::span<const MappingRule> transformers_unread_pooling_head() {
    return pooling_head;
}
std::span<const MappingRule> transformers_unread_projection() {
    return projection;
}

}  // namespace vit::inline internal
