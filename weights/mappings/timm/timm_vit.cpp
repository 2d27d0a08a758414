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

using enum Transform;

constexpr std::array rules{
    MappingRule{"patch_embed.proj.weight", "patch_embed.weight", patch_kernel, ""},
    MappingRule{"patch_embed.proj.bias", "patch_embed.bias", as_is, ""},
    MappingRule{"patch_embed.norm.weight", "patch_embed.norm.weight", as_is, ""},
    MappingRule{"patch_embed.norm.bias", "patch_embed.norm.bias", as_is, ""},
    MappingRule{"cls_token", "cls_token", squeeze, ""},
    MappingRule{"dist_token", "dist_token", squeeze, ""},
    MappingRule{"reg_token", "reg_token", squeeze, ""},
    MappingRule{"pos_embed", "pos_embed", position_table, ""},
    MappingRule{"norm_pre.weight", "norm_pre.weight", as_is, ""},
    MappingRule{"norm_pre.bias", "norm_pre.bias", as_is, ""},

    MappingRule{"blocks.#.norm1.weight", "blocks.#.norm1.weight", as_is, ""},
    MappingRule{"blocks.#.norm1.bias", "blocks.#.norm1.bias", as_is, ""},
    MappingRule{"blocks.#.attn.qkv.weight", "blocks.#.attn.{q,k,v}.weight", split_rows, ""},
    MappingRule{"blocks.#.attn.qkv.bias", "blocks.#.attn.{q,k,v}.bias", split_rows, ""},
    MappingRule{"blocks.#.attn.qkv.weight", "blocks.#.attn.{q1&q2,k1&k2,v}.weight", split_rows, ""},
    MappingRule{"blocks.#.attn.qkv.bias", "blocks.#.attn.{q1&q2,k1&k2,v}.bias", split_rows, ""},
    MappingRule{"blocks.#.attn.q_norm.weight", "blocks.#.attn.q_norm.weight", as_is, ""},
    MappingRule{"blocks.#.attn.q_norm.bias", "blocks.#.attn.q_norm.bias", as_is, ""},
    MappingRule{"blocks.#.attn.k_norm.weight", "blocks.#.attn.k_norm.weight", as_is, ""},
    MappingRule{"blocks.#.attn.k_norm.bias", "blocks.#.attn.k_norm.bias", as_is, ""},
    MappingRule{"blocks.#.attn.lambda_q1", "blocks.#.attn.lambda", diff_lambda, ""},
    MappingRule{"blocks.#.attn.lambda_k1", "blocks.#.attn.lambda", diff_lambda, ""},
    MappingRule{"blocks.#.attn.lambda_q2", "blocks.#.attn.lambda", diff_lambda, ""},
    MappingRule{"blocks.#.attn.lambda_k2", "blocks.#.attn.lambda", diff_lambda, ""},
    MappingRule{"blocks.#.attn.sub_norm.weight", "blocks.#.attn.sub_norm.weight", diff_sub_norm,
                ""},
    MappingRule{"blocks.#.attn.norm.weight", "blocks.#.attn.norm.weight", as_is, ""},
    MappingRule{"blocks.#.attn.norm.bias", "blocks.#.attn.norm.bias", as_is, ""},
    MappingRule{"blocks.#.attn.proj.weight", "blocks.#.attn.proj.weight", as_is, ""},
    MappingRule{"blocks.#.attn.proj.bias", "blocks.#.attn.proj.bias", as_is, ""},
    MappingRule{"blocks.#.ls1.gamma", "blocks.#.ls1", as_is, ""},
    MappingRule{"blocks.#.gamma_1", "blocks.#.ls1", as_is, "older name"},
    MappingRule{"blocks.#.norm2.weight", "blocks.#.norm2.weight", as_is, ""},
    MappingRule{"blocks.#.norm2.bias", "blocks.#.norm2.bias", as_is, ""},
    MappingRule{"blocks.#.mlp.fc1.weight", "blocks.#.mlp.{gate,fc1}.weight", split_rows, ""},
    MappingRule{"blocks.#.mlp.fc1.bias", "blocks.#.mlp.{gate,fc1}.bias", split_rows, ""},
    MappingRule{"blocks.#.mlp.fc1.weight", "blocks.#.mlp.fc1.weight", as_is, ""},
    MappingRule{"blocks.#.mlp.fc1.bias", "blocks.#.mlp.fc1.bias", as_is, ""},
    MappingRule{"blocks.#.mlp.w12.weight", "blocks.#.mlp.{gate,fc1}.weight", split_rows,
                "DINOv2's name"},
    MappingRule{"blocks.#.mlp.w12.bias", "blocks.#.mlp.{gate,fc1}.bias", split_rows,
                "DINOv2's name"},
    MappingRule{"blocks.#.mlp.fc1_g.weight", "blocks.#.mlp.gate.weight", as_is, ""},
    MappingRule{"blocks.#.mlp.fc1_g.bias", "blocks.#.mlp.gate.bias", as_is, ""},
    MappingRule{"blocks.#.mlp.fc1_x.weight", "blocks.#.mlp.fc1.weight", as_is, ""},
    MappingRule{"blocks.#.mlp.fc1_x.bias", "blocks.#.mlp.fc1.bias", as_is, ""},
    MappingRule{"blocks.#.mlp.norm.weight", "blocks.#.mlp.norm.weight", as_is, ""},
    MappingRule{"blocks.#.mlp.norm.bias", "blocks.#.mlp.norm.bias", as_is, ""},
    MappingRule{"blocks.#.mlp.fc2.weight", "blocks.#.mlp.fc2.weight", as_is, ""},
    MappingRule{"blocks.#.mlp.fc2.bias", "blocks.#.mlp.fc2.bias", as_is, ""},
    MappingRule{"blocks.#.mlp.w3.weight", "blocks.#.mlp.fc2.weight", as_is, "DINOv2's name"},
    MappingRule{"blocks.#.mlp.w3.bias", "blocks.#.mlp.fc2.bias", as_is, "DINOv2's name"},
    MappingRule{"blocks.#.ls2.gamma", "blocks.#.ls2", as_is, ""},
    MappingRule{"blocks.#.gamma_2", "blocks.#.ls2", as_is, "older name"},

    // ParallelThingsBlock
    MappingRule{"blocks.#.attns.#.norm.weight", "blocks.#.attns.#.norm.weight", as_is, ""},
    MappingRule{"blocks.#.attns.#.norm.bias", "blocks.#.attns.#.norm.bias", as_is, ""},
    MappingRule{"blocks.#.attns.#.attn.qkv.weight", "blocks.#.attns.#.attn.{q,k,v}.weight",
                split_rows, ""},
    MappingRule{"blocks.#.attns.#.attn.qkv.bias", "blocks.#.attns.#.attn.{q,k,v}.bias", split_rows,
                ""},
    MappingRule{"blocks.#.attns.#.attn.qkv.weight", "blocks.#.attns.#.attn.{q1&q2,k1&k2,v}.weight",
                split_rows, ""},
    MappingRule{"blocks.#.attns.#.attn.qkv.bias", "blocks.#.attns.#.attn.{q1&q2,k1&k2,v}.bias",
                split_rows, ""},
    MappingRule{"blocks.#.attns.#.attn.q_norm.weight", "blocks.#.attns.#.attn.q_norm.weight", as_is,
                ""},
    MappingRule{"blocks.#.attns.#.attn.q_norm.bias", "blocks.#.attns.#.attn.q_norm.bias", as_is,
                ""},
    MappingRule{"blocks.#.attns.#.attn.k_norm.weight", "blocks.#.attns.#.attn.k_norm.weight", as_is,
                ""},
    MappingRule{"blocks.#.attns.#.attn.k_norm.bias", "blocks.#.attns.#.attn.k_norm.bias", as_is,
                ""},
    MappingRule{"blocks.#.attns.#.attn.lambda_q1", "blocks.#.attns.#.attn.lambda", diff_lambda, ""},
    MappingRule{"blocks.#.attns.#.attn.lambda_k1", "blocks.#.attns.#.attn.lambda", diff_lambda, ""},
    MappingRule{"blocks.#.attns.#.attn.lambda_q2", "blocks.#.attns.#.attn.lambda", diff_lambda, ""},
    MappingRule{"blocks.#.attns.#.attn.lambda_k2", "blocks.#.attns.#.attn.lambda", diff_lambda, ""},
    MappingRule{"blocks.#.attns.#.attn.sub_norm.weight", "blocks.#.attns.#.attn.sub_norm.weight",
                diff_sub_norm, ""},
    MappingRule{"blocks.#.attns.#.attn.norm.weight", "blocks.#.attns.#.attn.norm.weight", as_is,
                ""},
    MappingRule{"blocks.#.attns.#.attn.norm.bias", "blocks.#.attns.#.attn.norm.bias", as_is, ""},
    MappingRule{"blocks.#.attns.#.attn.proj.weight", "blocks.#.attns.#.attn.proj.weight", as_is,
                ""},
    MappingRule{"blocks.#.attns.#.attn.proj.bias", "blocks.#.attns.#.attn.proj.bias", as_is, ""},
    MappingRule{"blocks.#.attns.#.ls.gamma", "blocks.#.attns.#.ls", as_is, ""},
    MappingRule{"blocks.#.ffns.#.norm.weight", "blocks.#.ffns.#.norm.weight", as_is, ""},
    MappingRule{"blocks.#.ffns.#.norm.bias", "blocks.#.ffns.#.norm.bias", as_is, ""},
    MappingRule{"blocks.#.ffns.#.mlp.fc1.weight", "blocks.#.ffns.#.mlp.{gate,fc1}.weight",
                split_rows, ""},
    MappingRule{"blocks.#.ffns.#.mlp.fc1.bias", "blocks.#.ffns.#.mlp.{gate,fc1}.bias", split_rows,
                ""},
    MappingRule{"blocks.#.ffns.#.mlp.fc1.weight", "blocks.#.ffns.#.mlp.fc1.weight", as_is, ""},
    MappingRule{"blocks.#.ffns.#.mlp.fc1.bias", "blocks.#.ffns.#.mlp.fc1.bias", as_is, ""},
    MappingRule{"blocks.#.ffns.#.mlp.w12.weight", "blocks.#.ffns.#.mlp.{gate,fc1}.weight",
                split_rows, "DINOv2's name"},
    MappingRule{"blocks.#.ffns.#.mlp.w12.bias", "blocks.#.ffns.#.mlp.{gate,fc1}.bias", split_rows,
                "DINOv2's name"},
    MappingRule{"blocks.#.ffns.#.mlp.fc1_g.weight", "blocks.#.ffns.#.mlp.gate.weight", as_is, ""},
    MappingRule{"blocks.#.ffns.#.mlp.fc1_g.bias", "blocks.#.ffns.#.mlp.gate.bias", as_is, ""},
    MappingRule{"blocks.#.ffns.#.mlp.fc1_x.weight", "blocks.#.ffns.#.mlp.fc1.weight", as_is, ""},
    MappingRule{"blocks.#.ffns.#.mlp.fc1_x.bias", "blocks.#.ffns.#.mlp.fc1.bias", as_is, ""},
    MappingRule{"blocks.#.ffns.#.mlp.norm.weight", "blocks.#.ffns.#.mlp.norm.weight", as_is, ""},
    MappingRule{"blocks.#.ffns.#.mlp.norm.bias", "blocks.#.ffns.#.mlp.norm.bias", as_is, ""},
    MappingRule{"blocks.#.ffns.#.mlp.fc2.weight", "blocks.#.ffns.#.mlp.fc2.weight", as_is, ""},
    MappingRule{"blocks.#.ffns.#.mlp.fc2.bias", "blocks.#.ffns.#.mlp.fc2.bias", as_is, ""},
    MappingRule{"blocks.#.ffns.#.mlp.w3.weight", "blocks.#.ffns.#.mlp.fc2.weight", as_is,
                "DINOv2's name"},
    MappingRule{"blocks.#.ffns.#.mlp.w3.bias", "blocks.#.ffns.#.mlp.fc2.bias", as_is,
                "DINOv2's name"},
    MappingRule{"blocks.#.ffns.#.ls.gamma", "blocks.#.ffns.#.ls", as_is, ""},

    // ParallelScalingBlock and DiffParallelScalingBlock
    MappingRule{"blocks.#.in_norm.weight", "blocks.#.norm1.weight", as_is, ""},
    MappingRule{"blocks.#.in_norm.bias", "blocks.#.norm1.bias", as_is, ""},
    MappingRule{"blocks.#.in_proj.weight", "blocks.#.{mlp.fc1,attn.q,attn.k,attn.v}.weight",
                split_rows, ""},
    MappingRule{"blocks.#.in_proj.bias", "blocks.#.{mlp.fc1,attn.q,attn.k,attn.v}.bias", split_rows,
                ""},
    MappingRule{"blocks.#.in_proj.weight",
                "blocks.#.{mlp.fc1,attn.q1&attn.q2,attn.k1&attn.k2,attn.v}.weight", split_rows, ""},
    MappingRule{"blocks.#.in_proj.bias",
                "blocks.#.{mlp.fc1,attn.q1&attn.q2,attn.k1&attn.k2,attn.v}.bias", split_rows, ""},
    MappingRule{"blocks.#.mlp_bias", "blocks.#.mlp.fc1.bias", as_is, ""},
    MappingRule{"blocks.#.q_norm.weight", "blocks.#.attn.q_norm.weight", as_is, ""},
    MappingRule{"blocks.#.q_norm.bias", "blocks.#.attn.q_norm.bias", as_is, ""},
    MappingRule{"blocks.#.k_norm.weight", "blocks.#.attn.k_norm.weight", as_is, ""},
    MappingRule{"blocks.#.k_norm.bias", "blocks.#.attn.k_norm.bias", as_is, ""},
    MappingRule{"blocks.#.lambda_q1", "blocks.#.attn.lambda", diff_lambda, ""},
    MappingRule{"blocks.#.lambda_k1", "blocks.#.attn.lambda", diff_lambda, ""},
    MappingRule{"blocks.#.lambda_q2", "blocks.#.attn.lambda", diff_lambda, ""},
    MappingRule{"blocks.#.lambda_k2", "blocks.#.attn.lambda", diff_lambda, ""},
    MappingRule{"blocks.#.sub_norm.weight", "blocks.#.attn.sub_norm.weight", diff_sub_norm, ""},
    MappingRule{"blocks.#.attn_out_proj.weight", "blocks.#.attn.proj.weight", as_is, ""},
    MappingRule{"blocks.#.attn_out_proj.bias", "blocks.#.attn.proj.bias", as_is, ""},
    MappingRule{"blocks.#.mlp_out_proj.weight", "blocks.#.mlp.fc2.weight", as_is, ""},
    MappingRule{"blocks.#.mlp_out_proj.bias", "blocks.#.mlp.fc2.bias", as_is, ""},
    MappingRule{"blocks.#.out_proj.weight", "blocks.#.{attn.proj,mlp.fc2}.weight", split_columns,
                ""},
    MappingRule{"blocks.#.out_proj.bias", "blocks.#.attn.proj.bias", as_is, ""},
    MappingRule{"blocks.#.ls.gamma", "blocks.#.{ls1,ls2}", copies, ""},

    MappingRule{"norm.weight", "norm.weight", as_is, ""},
    MappingRule{"norm.bias", "norm.bias", as_is, ""},
    MappingRule{"attn_pool.latent", "attn_pool.latent", squeeze, ""},
    MappingRule{"attn_pool.q.weight", "attn_pool.q.weight", as_is, ""},
    MappingRule{"attn_pool.q.bias", "attn_pool.q.bias", as_is, ""},
    MappingRule{"attn_pool.kv.weight", "attn_pool.{k,v}.weight", split_rows, ""},
    MappingRule{"attn_pool.kv.bias", "attn_pool.{k,v}.bias", split_rows, ""},
    MappingRule{"attn_pool.proj.weight", "attn_pool.proj.weight", as_is, ""},
    MappingRule{"attn_pool.proj.bias", "attn_pool.proj.bias", as_is, ""},
    MappingRule{"attn_pool.norm.weight", "attn_pool.norm.weight", as_is, ""},
    MappingRule{"attn_pool.norm.bias", "attn_pool.norm.bias", as_is, ""},
    MappingRule{"attn_pool.mlp.fc1.weight", "attn_pool.mlp.fc1.weight", as_is, ""},
    MappingRule{"attn_pool.mlp.fc1.bias", "attn_pool.mlp.fc1.bias", as_is, ""},
    MappingRule{"attn_pool.mlp.fc2.weight", "attn_pool.mlp.fc2.weight", as_is, ""},
    MappingRule{"attn_pool.mlp.fc2.bias", "attn_pool.mlp.fc2.bias", as_is, ""},
    MappingRule{"fc_norm.weight", "fc_norm.weight", as_is, ""},
    MappingRule{"fc_norm.bias", "fc_norm.bias", as_is, ""},
    MappingRule{"pre_logits.fc.weight", "pre_logits.weight", as_is, ""},
    MappingRule{"pre_logits.fc.bias", "pre_logits.bias", as_is, ""},
    MappingRule{"pre_logits.weight", "pre_logits.weight", as_is, ""},
    MappingRule{"pre_logits.bias", "pre_logits.bias", as_is, ""},
    MappingRule{"head.weight", "head.weight", class_rows, ""},
    MappingRule{"head.bias", "head.bias", class_rows, ""},
    MappingRule{"head_dist.weight", "head_dist.weight", class_rows, ""},
    MappingRule{"head_dist.bias", "head_dist.bias", class_rows, ""},
};

constexpr std::string_view unpooled = "timm builds this architecture without its attention pooling";
constexpr std::array attn_pool{
    MappingRule{"attn_pool.latent", "", drop, unpooled},
    MappingRule{"attn_pool.q.weight", "", drop, unpooled},
    MappingRule{"attn_pool.q.bias", "", drop, unpooled},
    MappingRule{"attn_pool.kv.weight", "", drop, unpooled},
    MappingRule{"attn_pool.kv.bias", "", drop, unpooled},
    MappingRule{"attn_pool.proj.weight", "", drop, unpooled},
    MappingRule{"attn_pool.proj.bias", "", drop, unpooled},
    MappingRule{"attn_pool.norm.weight", "", drop, unpooled},
    MappingRule{"attn_pool.norm.bias", "", drop, unpooled},
    MappingRule{"attn_pool.mlp.fc1.weight", "", drop, unpooled},
    MappingRule{"attn_pool.mlp.fc1.bias", "", drop, unpooled},
    MappingRule{"attn_pool.mlp.fc2.weight", "", drop, unpooled},
    MappingRule{"attn_pool.mlp.fc2.bias", "", drop, unpooled},
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

/// What would go unseen, as a model without classes has no head.
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
