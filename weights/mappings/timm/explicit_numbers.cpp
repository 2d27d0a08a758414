#include "weights/mappings/timm/explicit_numbers.h"

#include <fmt/format.h>

#include "vit/error.h"

namespace vit::inline internal {

namespace {

constexpr std::int64_t most = 1 << 20;

[[noreturn]] void refuse(const std::string& what) {
    throw Error(ErrorKind::model, what);
}

void set_sizes(ModelConfig& config, const VitArgs& args) {
    config.patch_height = args.patch_size.height;
    config.patch_width = args.patch_size.width;
    config.embed_dim = checked_count(args.embed_dim, 1, "embed_dim");
    config.depth = checked_count(args.depth, 1, "depth");
    config.heads = checked_count(args.num_heads, 1, "num_heads");
    if (config.embed_dim % config.heads != 0)
        refuse(fmt::format("num_heads: expected a divisor of embed_dim {}, found {}",
                           config.embed_dim, config.heads));
    config.head_dim = config.embed_dim / config.heads;
    const double mlp_dim = static_cast<double>(config.embed_dim) * args.mlp_ratio;
    if (!(mlp_dim >= 1 && mlp_dim <= most))
        refuse(fmt::format("mlp_ratio: expected a hidden width of 1 to {}, found {} * {}", most,
                           config.embed_dim, args.mlp_ratio));
    config.mlp_dim = static_cast<std::int64_t>(mlp_dim);  // as timm: int(dim * mlp_ratio)
    config.representation_size = checked_count(args.representation_size, 0, "representation_size");
}

void set_tokens(ModelConfig& config, const VitArgs& args, bool distilled) {
    config.patch_bias = !args.pre_norm;
    config.pre_norm = args.pre_norm;
    config.position_table = args.position_table;
    config.class_token = args.class_token;
    config.register_tokens = checked_count(args.reg_tokens, 0, "reg_tokens");
    config.distillation_token = distilled;
    config.no_embed_class = args.no_embed_class;
    if (distilled && (args.no_embed_class || args.reg_tokens > 0 || !args.class_token ||
                      !args.position_table || args.global_pool != Pooling::token))
        refuse(
            "a distilled model has a class token, token pooling, a position table with rows for "
            "both prefix tokens, and no registers");
    if (args.global_pool == Pooling::token && !args.class_token)
        refuse("pooling 'token' needs the class token, and class_token is false");
}

void set_norms(ModelConfig& config, const ModelClass& model, const VitArgs& args) {
    config.norm = args.norm;
    config.norm_eps = model.norm_eps;
    config.embed_norm = args.embed_norm.has_value();
    if (config.embed_norm &&
        (*args.embed_norm != args.norm || model.embed_norm_eps != model.norm_eps))
        refuse("embed_norm_layer: another norm or eps than norm_layer's is not supported");
    config.qk_norm = args.qk_norm;
    config.scale_attn_norm = args.scale_attn_norm;
    config.scale_mlp_norm = args.scale_mlp_norm;
}

/// The parallel scaling blocks ignore mlp_layer and attn_layer.
void set_block(ModelConfig& config, const VitArgs& args) {
    config.activation = args.activation;
    config.qkv_bias = args.qkv_bias;
    config.proj_bias = config.fc1_bias = config.fc2_bias = args.proj_bias;
    config.layer_scale = args.init_values.value_or(0) != 0;
    config.differential_attention = args.diff_attention;
    config.glu = args.mlp != MlpClass::plain;
    switch (args.block) {
        case BlockClass::plain:
            break;
        case BlockClass::res_post:
            config.block = BlockKind::res_post_norm;
            config.layer_scale = false;
            break;
        case BlockClass::parallel_things:
            config.block = BlockKind::parallel_things;
            config.parallel = 2;
            break;
        case BlockClass::parallel_scaling:
        case BlockClass::diff_parallel_scaling:
            if (args.scale_attn_norm || args.scale_mlp_norm)
                refuse("scale_attn_norm, scale_mlp_norm: timm's parallel blocks have neither");
            config.block = BlockKind::parallel_scaling;
            config.differential_attention = args.block == BlockClass::diff_parallel_scaling;
            config.glu = false;
            config.layer_scale = args.init_values.has_value();
            config.fc1_bias = true;  // even where Q, K and V have none
            // DiffParallelScalingBlock has one output bias for attention and MLP.
            config.fc2_bias = args.proj_bias && !config.differential_attention;
            break;
    }
    if (config.differential_attention && config.head_dim % 2 != 0)
        refuse(
            fmt::format("num_heads: differential attention needs heads of an even width, "
                        "found {} / {}",
                        config.embed_dim, config.heads));
    if (args.mlp == MlpClass::packed_glu && config.glu) {
        if (config.mlp_dim % 2 != 0)
            refuse(fmt::format("mlp_ratio: a packed GLU needs an even hidden width, found {}",
                               config.mlp_dim));
        config.mlp_dim /= 2;
    }
}

void set_pooling(ModelConfig& config, const VitArgs& args) {
    config.pooling = args.global_pool;
    config.pool_include_prefix = args.pool_include_prefix && args.global_pool != Pooling::token &&
                                 config.prefix_tokens() > 0;
    const bool reduces = args.global_pool != Pooling::token && args.global_pool != Pooling::map;
    const bool after_pooling = args.fc_norm.value_or(reduces);
    config.final_norm = args.final_norm && !after_pooling;
    config.fc_norm = args.final_norm && after_pooling;
    // timm's distilled forward never calls its fc_norm.
    if (config.distillation_token && config.fc_norm)
        refuse("fc_norm: expected false for a distilled model, found true");
}

}  // namespace

std::int64_t checked_count(std::int64_t value, std::int64_t low, std::string_view name) {
    if (value < low || value > most)
        refuse(fmt::format("{}: expected {} to {}, found {}", name, low, most, value));
    return value;
}

ModelConfig explicit_numbers(const ModelClass& model, const VitArgs& args) {
    ModelConfig config;
    config.architecture = model.architecture;
    set_sizes(config, args);
    set_tokens(config, args, model.distilled);
    set_norms(config, model, args);
    set_pooling(config, args);
    if (config.pooling == Pooling::map) {
        config.pool_heads = config.heads;
        config.pool_mlp_dim = config.mlp_dim;
    }
    set_block(config, args);  // last: a packed GLU halves mlp_dim

    config.pos_drop_rate = args.pos_drop_rate;
    config.patch_drop_rate = args.patch_drop_rate;
    config.proj_drop_rate = args.proj_drop_rate;
    config.attn_drop_rate = args.attn_drop_rate;
    config.drop_rate = args.drop_rate;
    config.drop_path_rate = args.drop_path_rate;
    return config;
}

}  // namespace vit::inline internal
