#include "weights/mappings/transformers/transformers_rules.h"

#include <algorithm>
#include <array>

namespace vit::inline internal {

namespace {

using enum Transform;

constexpr std::string_view masking = "of masked image modelling, which is training";
constexpr std::string_view text_half = "of the text half";
constexpr std::string_view unread = "this class of transformers does not read it";

/// Of ViT, DeiT and DINOv2.
constexpr std::array shared{
    MappingRule{"~embeddings.patch_embeddings.projection.weight", "patch_embed.weight", as_is, ""},
    MappingRule{"~embeddings.patch_embeddings.projection.bias", "patch_embed.bias", as_is, ""},
    MappingRule{"~embeddings.cls_token", "cls_token", squeeze, ""},
    MappingRule{"~embeddings.position_embeddings", "pos_embed", position_table, ""},
    MappingRule{"~embeddings.mask_token", "", drop, masking},

    MappingRule{"~encoder.layer.#.attention.attention.query.weight", "blocks.#.attn.q.weight",
                as_is, ""},
    MappingRule{"~encoder.layer.#.attention.attention.query.bias", "blocks.#.attn.q.bias", as_is,
                ""},
    MappingRule{"~encoder.layer.#.attention.attention.key.weight", "blocks.#.attn.k.weight", as_is,
                ""},
    MappingRule{"~encoder.layer.#.attention.attention.key.bias", "blocks.#.attn.k.bias", as_is, ""},
    MappingRule{"~encoder.layer.#.attention.attention.value.weight", "blocks.#.attn.v.weight",
                as_is, ""},
    MappingRule{"~encoder.layer.#.attention.attention.value.bias", "blocks.#.attn.v.bias", as_is,
                ""},
    MappingRule{"~encoder.layer.#.attention.output.dense.weight", "blocks.#.attn.proj.weight",
                as_is, ""},
    MappingRule{"~encoder.layer.#.attention.output.dense.bias", "blocks.#.attn.proj.bias", as_is,
                ""},

    MappingRule{"~layernorm.weight", "norm.weight", as_is, ""},
    MappingRule{"~layernorm.bias", "norm.bias", as_is, ""},
};

template <std::size_t m, std::size_t n>
constexpr std::array<MappingRule, m + n> joined(const std::array<MappingRule, m>& a,
                                                const std::array<MappingRule, n>& b) {
    std::array<MappingRule, m + n> all{};
    std::ranges::copy(b, std::ranges::copy(a, all.begin()).out);
    return all;
}

constexpr std::array vit_own{
    MappingRule{"~embeddings.distillation_token", "dist_token", squeeze, ""},
    MappingRule{"~embeddings.distillation_token", "reg_token", squeeze,
                "as a register: its own output is not read"},

    MappingRule{"~encoder.layer.#.layernorm_before.weight", "blocks.#.norm1.weight", as_is, ""},
    MappingRule{"~encoder.layer.#.layernorm_before.bias", "blocks.#.norm1.bias", as_is, ""},
    MappingRule{"~encoder.layer.#.layernorm_after.weight", "blocks.#.norm2.weight", as_is, ""},
    MappingRule{"~encoder.layer.#.layernorm_after.bias", "blocks.#.norm2.bias", as_is, ""},
    MappingRule{"~encoder.layer.#.intermediate.dense.weight", "blocks.#.mlp.fc1.weight", as_is, ""},
    MappingRule{"~encoder.layer.#.intermediate.dense.bias", "blocks.#.mlp.fc1.bias", as_is, ""},
    MappingRule{"~encoder.layer.#.output.dense.weight", "blocks.#.mlp.fc2.weight", as_is, ""},
    MappingRule{"~encoder.layer.#.output.dense.bias", "blocks.#.mlp.fc2.bias", as_is, ""},

    MappingRule{"~pooler.dense.weight", "pre_logits.weight", as_is, ""},
    MappingRule{"~pooler.dense.bias", "pre_logits.bias", as_is, ""},
    MappingRule{"classifier.weight", "head.weight", as_is, ""},
    MappingRule{"classifier.bias", "head.bias", as_is, ""},
    MappingRule{"cls_classifier.weight", "head.weight", as_is, ""},
    MappingRule{"cls_classifier.bias", "head.bias", as_is, ""},
    MappingRule{"distillation_classifier.weight", "head_dist.weight", as_is, ""},
    MappingRule{"distillation_classifier.bias", "head_dist.bias", as_is, ""},
};
constexpr std::array vit = joined(shared, vit_own);

constexpr std::array dinov2_own{
    MappingRule{"~embeddings.register_tokens", "reg_token", squeeze, ""},

    MappingRule{"~encoder.layer.#.norm1.weight", "blocks.#.norm1.weight", as_is, ""},
    MappingRule{"~encoder.layer.#.norm1.bias", "blocks.#.norm1.bias", as_is, ""},
    MappingRule{"~encoder.layer.#.layer_scale1.lambda1", "blocks.#.ls1", as_is, ""},
    MappingRule{"~encoder.layer.#.norm2.weight", "blocks.#.norm2.weight", as_is, ""},
    MappingRule{"~encoder.layer.#.norm2.bias", "blocks.#.norm2.bias", as_is, ""},
    MappingRule{"~encoder.layer.#.mlp.fc1.weight", "blocks.#.mlp.fc1.weight", as_is, ""},
    MappingRule{"~encoder.layer.#.mlp.fc1.bias", "blocks.#.mlp.fc1.bias", as_is, ""},
    MappingRule{"~encoder.layer.#.mlp.fc2.weight", "blocks.#.mlp.fc2.weight", as_is, ""},
    MappingRule{"~encoder.layer.#.mlp.fc2.bias", "blocks.#.mlp.fc2.bias", as_is, ""},
    MappingRule{"~encoder.layer.#.mlp.weights_in.weight", "blocks.#.mlp.{gate,fc1}.weight",
                split_rows, ""},
    MappingRule{"~encoder.layer.#.mlp.weights_in.bias", "blocks.#.mlp.{gate,fc1}.bias", split_rows,
                ""},
    MappingRule{"~encoder.layer.#.mlp.weights_out.weight", "blocks.#.mlp.fc2.weight", as_is, ""},
    MappingRule{"~encoder.layer.#.mlp.weights_out.bias", "blocks.#.mlp.fc2.bias", as_is, ""},
    MappingRule{"~encoder.layer.#.layer_scale2.lambda1", "blocks.#.ls2", as_is, ""},

    MappingRule{"classifier.weight", "{head,head_mean}.weight", split_columns, ""},
    MappingRule{"classifier.bias", "head.bias", as_is, ""},
};
constexpr std::array dinov2 = joined(shared, dinov2_own);

constexpr std::array clip{
    MappingRule{"~embeddings.patch_embedding.weight", "patch_embed.weight", as_is, ""},
    MappingRule{"~embeddings.patch_embedding.bias", "patch_embed.bias", as_is, ""},
    MappingRule{"~embeddings.class_embedding", "cls_token", as_is, ""},
    MappingRule{"~embeddings.position_embedding.weight", "pos_embed", position_table, ""},
    MappingRule{"~embeddings.position_ids", "", drop, "the numbers 0, 1, 2 and so on"},
    MappingRule{"~pre_layrnorm.weight", "norm_pre.weight", as_is, ""},
    MappingRule{"~pre_layrnorm.bias", "norm_pre.bias", as_is, ""},

    MappingRule{"~encoder.layers.#.layer_norm1.weight", "blocks.#.norm1.weight", as_is, ""},
    MappingRule{"~encoder.layers.#.layer_norm1.bias", "blocks.#.norm1.bias", as_is, ""},
    MappingRule{"~encoder.layers.#.self_attn.q_proj.weight", "blocks.#.attn.q.weight", as_is, ""},
    MappingRule{"~encoder.layers.#.self_attn.q_proj.bias", "blocks.#.attn.q.bias", as_is, ""},
    MappingRule{"~encoder.layers.#.self_attn.k_proj.weight", "blocks.#.attn.k.weight", as_is, ""},
    MappingRule{"~encoder.layers.#.self_attn.k_proj.bias", "blocks.#.attn.k.bias", as_is, ""},
    MappingRule{"~encoder.layers.#.self_attn.v_proj.weight", "blocks.#.attn.v.weight", as_is, ""},
    MappingRule{"~encoder.layers.#.self_attn.v_proj.bias", "blocks.#.attn.v.bias", as_is, ""},
    MappingRule{"~encoder.layers.#.self_attn.out_proj.weight", "blocks.#.attn.proj.weight", as_is,
                ""},
    MappingRule{"~encoder.layers.#.self_attn.out_proj.bias", "blocks.#.attn.proj.bias", as_is, ""},
    MappingRule{"~encoder.layers.#.layer_norm2.weight", "blocks.#.norm2.weight", as_is, ""},
    MappingRule{"~encoder.layers.#.layer_norm2.bias", "blocks.#.norm2.bias", as_is, ""},
    MappingRule{"~encoder.layers.#.mlp.fc1.weight", "blocks.#.mlp.fc1.weight", as_is, ""},
    MappingRule{"~encoder.layers.#.mlp.fc1.bias", "blocks.#.mlp.fc1.bias", as_is, ""},
    MappingRule{"~encoder.layers.#.mlp.fc2.weight", "blocks.#.mlp.fc2.weight", as_is, ""},
    MappingRule{"~encoder.layers.#.mlp.fc2.bias", "blocks.#.mlp.fc2.bias", as_is, ""},

    MappingRule{"~post_layernorm.weight", "norm.weight", as_is, ""},
    MappingRule{"~post_layernorm.bias", "norm.bias", as_is, ""},
    MappingRule{"~head.probe", "attn_pool.latent", squeeze, ""},
    MappingRule{"~head.attention.in_proj_weight", "attn_pool.{q,k,v}.weight", split_rows, ""},
    MappingRule{"~head.attention.in_proj_bias", "attn_pool.{q,k,v}.bias", split_rows, ""},
    MappingRule{"~head.attention.out_proj.weight", "attn_pool.proj.weight", as_is, ""},
    MappingRule{"~head.attention.out_proj.bias", "attn_pool.proj.bias", as_is, ""},
    MappingRule{"~head.layernorm.weight", "attn_pool.norm.weight", as_is, ""},
    MappingRule{"~head.layernorm.bias", "attn_pool.norm.bias", as_is, ""},
    MappingRule{"~head.mlp.fc1.weight", "attn_pool.mlp.fc1.weight", as_is, ""},
    MappingRule{"~head.mlp.fc1.bias", "attn_pool.mlp.fc1.bias", as_is, ""},
    MappingRule{"~head.mlp.fc2.weight", "attn_pool.mlp.fc2.weight", as_is, ""},
    MappingRule{"~head.mlp.fc2.bias", "attn_pool.mlp.fc2.bias", as_is, ""},
    MappingRule{"visual_projection.weight", "head.weight", as_is, ""},
    MappingRule{"classifier.weight", "head.weight", as_is, ""},
    MappingRule{"classifier.bias", "head.bias", as_is, ""},

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
