#include "weights/mappings/timm/timm_vit.h"

#include <fmt/format.h>

#include <array>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/mappings/common/tensor_facts.h"
#include "weights/mappings/timm/arch_settings.h"
#include "weights/mappings/timm/other_models.h"
#include "weights/mappings/timm/recognise.h"
#include "weights/mappings/timm/timm_config.h"

namespace vit::inline internal {

namespace {

using enum TensorTransform;

constexpr std::array rules{
    MappingRule{"patch_embed.proj.weight", "patch_embed.weight", patch_kernel},
    MappingRule{"patch_embed.proj.bias", "patch_embed.bias"},
    MappingRule{"patch_embed.norm.$", "patch_embed.norm.$"},
    MappingRule{"cls_token", "cls_token", squeeze},
    MappingRule{"dist_token", "dist_token", squeeze},
    MappingRule{"reg_token", "reg_token", squeeze},
    MappingRule{"pos_embed", "pos_embed", position_table},
    MappingRule{"norm_pre.$", "norm_pre.$"},

    MappingRule{"blocks.#.norm1.$", "blocks.#.norm1.$"},
    MappingRule{"blocks.#.attn.qkv.$", "blocks.#.attn.{q,k,v}.$", split_rows},
    MappingRule{"blocks.#.attn.qkv.$", "blocks.#.attn.{q1&q2,k1&k2,v}.$", split_rows},
    MappingRule{"blocks.#.attn.q_norm.$", "blocks.#.attn.q_norm.$"},
    MappingRule{"blocks.#.attn.k_norm.$", "blocks.#.attn.k_norm.$"},
    MappingRule{"blocks.#.attn.lambda_q1", "blocks.#.attn.lambda", diff_lambda},
    MappingRule{"blocks.#.attn.lambda_k1", "blocks.#.attn.lambda", diff_lambda},
    MappingRule{"blocks.#.attn.lambda_q2", "blocks.#.attn.lambda", diff_lambda},
    MappingRule{"blocks.#.attn.lambda_k2", "blocks.#.attn.lambda", diff_lambda},
    MappingRule{"blocks.#.attn.sub_norm.weight", "blocks.#.attn.sub_norm.weight", diff_sub_norm},
    MappingRule{"blocks.#.attn.norm.$", "blocks.#.attn.norm.$"},
    MappingRule{"blocks.#.attn.proj.$", "blocks.#.attn.proj.$"},
    MappingRule{"blocks.#.ls1.gamma", "blocks.#.ls1"},
    MappingRule{"blocks.#.gamma_1", "blocks.#.ls1", as_is, "older name"},
    MappingRule{"blocks.#.norm2.$", "blocks.#.norm2.$"},
    MappingRule{"blocks.#.mlp.fc1.$", "blocks.#.mlp.{gate,fc1}.$", split_rows},
    MappingRule{"blocks.#.mlp.fc1.$", "blocks.#.mlp.fc1.$"},
    MappingRule{"blocks.#.mlp.w12.$", "blocks.#.mlp.{gate,fc1}.$", split_rows, "DINOv2's name"},
    MappingRule{"blocks.#.mlp.fc1_g.$", "blocks.#.mlp.gate.$"},
    MappingRule{"blocks.#.mlp.fc1_x.$", "blocks.#.mlp.fc1.$"},
    MappingRule{"blocks.#.mlp.norm.$", "blocks.#.mlp.norm.$"},
    MappingRule{"blocks.#.mlp.fc2.$", "blocks.#.mlp.fc2.$"},
    MappingRule{"blocks.#.mlp.w3.$", "blocks.#.mlp.fc2.$", as_is, "DINOv2's name"},
    MappingRule{"blocks.#.ls2.gamma", "blocks.#.ls2"},
    MappingRule{"blocks.#.gamma_2", "blocks.#.ls2", as_is, "older name"},

    // ParallelThingsBlock
    MappingRule{"blocks.#.attns.#.norm.$", "blocks.#.attns.#.norm.$"},
    MappingRule{"blocks.#.attns.#.attn.qkv.$", "blocks.#.attns.#.attn.{q,k,v}.$", split_rows},
    MappingRule{"blocks.#.attns.#.attn.qkv.$", "blocks.#.attns.#.attn.{q1&q2,k1&k2,v}.$",
                split_rows},
    MappingRule{"blocks.#.attns.#.attn.q_norm.$", "blocks.#.attns.#.attn.q_norm.$"},
    MappingRule{"blocks.#.attns.#.attn.k_norm.$", "blocks.#.attns.#.attn.k_norm.$"},
    MappingRule{"blocks.#.attns.#.attn.lambda_q1", "blocks.#.attns.#.attn.lambda", diff_lambda},
    MappingRule{"blocks.#.attns.#.attn.lambda_k1", "blocks.#.attns.#.attn.lambda", diff_lambda},
    MappingRule{"blocks.#.attns.#.attn.lambda_q2", "blocks.#.attns.#.attn.lambda", diff_lambda},
    MappingRule{"blocks.#.attns.#.attn.lambda_k2", "blocks.#.attns.#.attn.lambda", diff_lambda},
    MappingRule{"blocks.#.attns.#.attn.sub_norm.weight", "blocks.#.attns.#.attn.sub_norm.weight",
                diff_sub_norm},
    MappingRule{"blocks.#.attns.#.attn.norm.$", "blocks.#.attns.#.attn.norm.$"},
    MappingRule{"blocks.#.attns.#.attn.proj.$", "blocks.#.attns.#.attn.proj.$"},
    MappingRule{"blocks.#.attns.#.ls.gamma", "blocks.#.attns.#.ls"},
    MappingRule{"blocks.#.ffns.#.norm.$", "blocks.#.ffns.#.norm.$"},
    MappingRule{"blocks.#.ffns.#.mlp.fc1.$", "blocks.#.ffns.#.mlp.{gate,fc1}.$", split_rows},
    MappingRule{"blocks.#.ffns.#.mlp.fc1.$", "blocks.#.ffns.#.mlp.fc1.$"},
    MappingRule{"blocks.#.ffns.#.mlp.w12.$", "blocks.#.ffns.#.mlp.{gate,fc1}.$", split_rows,
                "DINOv2's name"},
    MappingRule{"blocks.#.ffns.#.mlp.fc1_g.$", "blocks.#.ffns.#.mlp.gate.$"},
    MappingRule{"blocks.#.ffns.#.mlp.fc1_x.$", "blocks.#.ffns.#.mlp.fc1.$"},
    MappingRule{"blocks.#.ffns.#.mlp.norm.$", "blocks.#.ffns.#.mlp.norm.$"},
    MappingRule{"blocks.#.ffns.#.mlp.fc2.$", "blocks.#.ffns.#.mlp.fc2.$"},
    MappingRule{"blocks.#.ffns.#.mlp.w3.$", "blocks.#.ffns.#.mlp.fc2.$", as_is, "DINOv2's name"},
    MappingRule{"blocks.#.ffns.#.ls.gamma", "blocks.#.ffns.#.ls"},

    // ParallelScalingBlock and DiffParallelScalingBlock
    MappingRule{"blocks.#.in_norm.$", "blocks.#.norm1.$"},
    MappingRule{"blocks.#.in_proj.$", "blocks.#.{mlp.fc1,attn.q,attn.k,attn.v}.$", split_rows},
    MappingRule{"blocks.#.in_proj.$", "blocks.#.{mlp.fc1,attn.q1&attn.q2,attn.k1&attn.k2,attn.v}.$",
                split_rows},
    MappingRule{"blocks.#.mlp_bias", "blocks.#.mlp.fc1.bias"},
    MappingRule{"blocks.#.q_norm.$", "blocks.#.attn.q_norm.$"},
    MappingRule{"blocks.#.k_norm.$", "blocks.#.attn.k_norm.$"},
    MappingRule{"blocks.#.lambda_q1", "blocks.#.attn.lambda", diff_lambda},
    MappingRule{"blocks.#.lambda_k1", "blocks.#.attn.lambda", diff_lambda},
    MappingRule{"blocks.#.lambda_q2", "blocks.#.attn.lambda", diff_lambda},
    MappingRule{"blocks.#.lambda_k2", "blocks.#.attn.lambda", diff_lambda},
    MappingRule{"blocks.#.sub_norm.weight", "blocks.#.attn.sub_norm.weight", diff_sub_norm},
    MappingRule{"blocks.#.attn_out_proj.$", "blocks.#.attn.proj.$"},
    MappingRule{"blocks.#.mlp_out_proj.$", "blocks.#.mlp.fc2.$"},
    MappingRule{"blocks.#.out_proj.weight", "blocks.#.{attn.proj,mlp.fc2}.weight", split_columns},
    MappingRule{"blocks.#.out_proj.bias", "blocks.#.attn.proj.bias"},
    MappingRule{"blocks.#.ls.gamma", "blocks.#.{ls1,ls2}", copies},

    MappingRule{"norm.$", "norm.$"},
    MappingRule{"attn_pool.latent", "attn_pool.latent", squeeze},
    MappingRule{"attn_pool.q.$", "attn_pool.q.$"},
    MappingRule{"attn_pool.kv.$", "attn_pool.{k,v}.$", split_rows},
    MappingRule{"attn_pool.proj.$", "attn_pool.proj.$"},
    MappingRule{"attn_pool.norm.$", "attn_pool.norm.$"},
    MappingRule{"attn_pool.mlp.fc1.$", "attn_pool.mlp.fc1.$"},
    MappingRule{"attn_pool.mlp.fc2.$", "attn_pool.mlp.fc2.$"},
    MappingRule{"fc_norm.$", "fc_norm.$"},
    MappingRule{"pre_logits.fc.$", "pre_logits.$"},
    MappingRule{"pre_logits.$", "pre_logits.$"},
    MappingRule{"head.$", "head.$", class_rows},
    MappingRule{"head_dist.$", "head_dist.$", class_rows},
};

constexpr std::string_view unpooled = "timm builds this architecture without its attention pooling";
constexpr std::array attn_pool{
    MappingRule{"attn_pool.latent", "", drop, unpooled},
    MappingRule{"attn_pool.q.$", "", drop, unpooled},
    MappingRule{"attn_pool.kv.$", "", drop, unpooled},
    MappingRule{"attn_pool.proj.$", "", drop, unpooled},
    MappingRule{"attn_pool.norm.$", "", drop, unpooled},
    MappingRule{"attn_pool.mlp.fc1.$", "", drop, unpooled},
    MappingRule{"attn_pool.mlp.fc2.$", "", drop, unpooled},
};

TensorFacts facts_of(std::span<const TensorView> tensors) {
    TensorFacts facts;
    for (const TensorView& tensor : tensors) {
        const Shape& shape = tensor.shape;
        if (tensor.name == "head.weight" && shape.size() == 2)
            facts.num_classes = shape[0];
        else if (tensor.name == "patch_embed.proj.weight" && shape.size() == 4)
            facts.in_chans = shape[1];
        else if ((tensor.name == "pre_logits.fc.weight" || tensor.name == "pre_logits.weight") &&
                 shape.size() == 2)
            facts.representation_size = shape[0];
    }
    return facts;
}

/// Checks that a head's weight and bias have the same number of classes. Where the model has no
/// classes, its head is dropped, and no other check would see this.
void check_heads(std::span<const TensorView> tensors) {
    for (const std::string head : {"head", "head_dist"}) {
        const TensorView* weight = find_tensor(tensors, head + ".weight");
        const TensorView* bias = find_tensor(tensors, head + ".bias");
        if (weight && bias && !weight->shape.empty() && !bias->shape.empty() &&
            weight->shape[0] != bias->shape[0])
            throw Error(ErrorKind::model,
                        fmt::format("tensor '{}.weight': expected one row for each of the {} "
                                    "classes of '{}.bias', found shape {}",
                                    head, bias->shape[0], head, to_string(weight->shape)));
    }
}

void refuse_other_models(std::span<const TensorView> tensors) {
    if (const std::string_view other = other_model(tensors); !other.empty())
        throw Error(ErrorKind::model,
                    fmt::format("the tensors are those of {}, not of a plain Vision Transformer; "
                                "docs/coverage.md lists what can be converted",
                                other));
}

}  // namespace

ResolvedModel resolve_timm(const Checkpoint& checkpoint, const ConvertOptions& options) {
    const std::span<const TensorView> tensors = checkpoint.tensors;
    refuse_other_models(tensors);
    if (!options.arch && !checkpoint.arch && !checkpoint.config_json)
        throw Error(ErrorKind::usage, describe_unnamed(tensors));
    if (options.arch) refuse_other_library(*options.arch, "timm");
    ResolvedModel model = resolve_timm_config(
        {options.arch, checkpoint.arch, checkpoint.config_json, options.arch_by},
        facts_of(tensors));
    const std::string foreign = foreign_source(tensors);
    if (!foreign.empty())
        throw Error(ErrorKind::model,
                    fmt::format("the tensors' names are not timm's but those of {}", foreign));
    check_heads(tensors);
    return model;
}

std::span<const MappingRule> timm_vit_rules() {
    return rules;
}
std::span<const MappingRule> timm_attn_pool_rules() {
    return attn_pool;
}

}  // namespace vit::inline internal
