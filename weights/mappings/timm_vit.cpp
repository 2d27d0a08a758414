#include "weights/mappings/timm_vit.h"

#include <fmt/format.h>

#include <array>

#include "vit/error.h"
#include "weights/mappings/recognise.h"
#include "weights/mappings/timm_config.h"

namespace vit {

namespace {

using enum Transform;

constexpr std::array rules{
    MappingRule{"patch_embed.proj.weight", "patch_embed.weight", patch_kernel, ""},
    MappingRule{"patch_embed.proj.bias", "patch_embed.bias", as_is, ""},
    MappingRule{"cls_token", "cls_token", squeeze, ""},
    MappingRule{"dist_token", "dist_token", squeeze, ""},
    MappingRule{"reg_token", "reg_token", squeeze, ""},
    MappingRule{"pos_embed", "pos_embed", position_table, ""},

    MappingRule{"blocks.#.norm1.weight", "blocks.#.norm1.weight", as_is, ""},
    MappingRule{"blocks.#.norm1.bias", "blocks.#.norm1.bias", as_is, ""},
    MappingRule{"blocks.#.attn.qkv.weight", "blocks.#.attn.qkv.weight", split_qkv, ""},
    MappingRule{"blocks.#.attn.qkv.bias", "blocks.#.attn.qkv.bias", split_qkv, ""},
    MappingRule{"blocks.#.attn.proj.weight", "blocks.#.attn.proj.weight", as_is, ""},
    MappingRule{"blocks.#.attn.proj.bias", "blocks.#.attn.proj.bias", as_is, ""},
    MappingRule{"blocks.#.ls1.gamma", "blocks.#.ls1", as_is, ""},
    MappingRule{"blocks.#.gamma_1", "blocks.#.ls1", as_is, "older name"},
    MappingRule{"blocks.#.norm2.weight", "blocks.#.norm2.weight", as_is, ""},
    MappingRule{"blocks.#.norm2.bias", "blocks.#.norm2.bias", as_is, ""},
    MappingRule{"blocks.#.mlp.fc1.weight", "blocks.#.mlp.fc1.weight", as_is, ""},
    MappingRule{"blocks.#.mlp.fc1.bias", "blocks.#.mlp.fc1.bias", as_is, ""},
    MappingRule{"blocks.#.mlp.fc2.weight", "blocks.#.mlp.fc2.weight", as_is, ""},
    MappingRule{"blocks.#.mlp.fc2.bias", "blocks.#.mlp.fc2.bias", as_is, ""},
    MappingRule{"blocks.#.ls2.gamma", "blocks.#.ls2", as_is, ""},
    MappingRule{"blocks.#.gamma_2", "blocks.#.ls2", as_is, "older name"},

    MappingRule{"norm.weight", "norm.weight", as_is, ""},
    MappingRule{"norm.bias", "norm.bias", as_is, ""},
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

}  // namespace

ResolvedModel resolve_timm(const Checkpoint& checkpoint, const ConvertOptions& options) {
    if (!options.arch && !checkpoint.arch && !checkpoint.config_json)
        throw Error(ErrorKind::usage, describe_unnamed(checkpoint.tensors));
    ResolvedModel model = resolve_timm_config(
        {options.arch, checkpoint.arch, checkpoint.config_json}, facts_of(checkpoint.tensors));
    const std::string foreign = foreign_source(checkpoint.tensors);
    if (!foreign.empty())
        throw Error(
            ErrorKind::model,
            fmt::format("the tensors' names are those of {}, which are not understood", foreign));
    return model;
}

std::span<const MappingRule> timm_vit_rules() {
    return rules;
}
std::span<const MappingRule> timm_attn_pool_rules() {
    return attn_pool;
}

}  // namespace vit
