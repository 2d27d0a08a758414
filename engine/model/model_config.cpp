#include "engine/model/model_config.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "engine/model/model_file.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

[[noreturn]] void refuse(const std::string& what) {
    throw Error(ErrorKind::model, "model config: " + what);
}

void check_count(std::string_view name, std::int64_t value, std::int64_t least, std::int64_t most) {
    if (value < least || value > most)
        refuse(fmt::format("expected {} from {} to {}, found {}", name, least, most, value));
}

void check_rate(std::string_view name, double value) {
    if (!(value >= 0 && value < 1))
        refuse(fmt::format("expected {} of at least 0 and below 1, found {}", name, value));
}

void check_eps(std::string_view name, double value) {
    if (!(std::isfinite(value) && value > 0 && value <= 1))
        refuse(fmt::format("expected {} above 0 and at most 1, found {}", name, value));
}

}  // namespace

void validate(const ModelConfig& config) {
    // Large enough for any published model, and small enough that the product of two of them does
    // not overflow.
    constexpr std::int64_t side = 65'535, width = 65'536, wide = 1 << 20;
    check_count("image height", config.image_size.height, 1, side);
    check_count("image width", config.image_size.width, 1, side);
    check_count("in_chans", config.in_chans, 1, 1024);
    check_count("patch height", config.patch_height, 1, config.image_size.height);
    check_count("patch width", config.patch_width, 1, config.image_size.width);
    check_count("embed_dim", config.embed_dim, 1, width);
    check_count("depth", config.depth, 1, 1000);
    check_count("heads", config.heads, 1, width);
    check_count("head_dim", config.head_dim, 1, width);
    check_count("heads * head_dim", config.heads * config.head_dim, 1, wide);
    check_count("mlp_dim", config.mlp_dim, 1, wide);
    check_count("register_tokens", config.register_tokens, 0, width);
    check_count("representation_size", config.representation_size, 0, width);
    check_count("num_classes", config.num_classes, 0, wide);
    check_count("parallel", config.parallel, 1,
                config.block == BlockKind::parallel_things ? 16 : 1);
    if (config.block == BlockKind::parallel_scaling &&
        (config.glu || config.scale_attn_norm || config.scale_mlp_norm))
        refuse("block 'parallel_scaling' has no glu, scale_attn_norm or scale_mlp_norm");
    if (config.block == BlockKind::res_post_norm && config.layer_scale)
        refuse("block 'res_post_norm' has no layer_scale; its norms scale what is added");
    if (config.differential_attention && config.head_dim % 2 != 0)
        refuse(fmt::format("differential_attention needs an even head_dim, found {}",
                           config.head_dim));
    if (config.pooling == Pooling::map) {
        check_count("pool_heads", config.pool_heads, 1, width);
        check_count("pool_mlp_dim", config.pool_mlp_dim, 0, wide);
        check_count("pool_width", config.pool_width, 0, width);
        if (config.pooled_dim() % config.pool_heads != 0)
            refuse(fmt::format("expected pool_heads to divide the pooled width {}, found {}",
                               config.pooled_dim(), config.pool_heads));
    } else if (config.pool_width != 0) {
        refuse("pool_width needs pooling 'map'");
    }
    if (config.pooling == Pooling::token && config.pool_include_prefix)
        refuse("pool_include_prefix needs another pooling than 'token'");
    if (config.pooling == Pooling::token && !config.class_token)
        refuse("pooling 'token' reads the class token, but class_token is false");
    if (config.distillation_token && !(config.class_token && config.pooling == Pooling::token))
        refuse("distillation_token needs class_token and pooling 'token'");
    if (config.mean_head &&
        (config.pooling != Pooling::token || config.distillation_token || config.fc_norm ||
         config.representation_size > 0 || config.num_classes == 0))
        refuse("mean_head needs pooling 'token' and classes, and nothing between token and head");
    check_eps("norm_eps", config.norm_eps);
    check_eps("sub_norm_eps", config.sub_norm_eps);
    check_rate("pos_drop_rate", config.pos_drop_rate);
    check_rate("patch_drop_rate", config.patch_drop_rate);
    check_rate("proj_drop_rate", config.proj_drop_rate);
    check_rate("attn_drop_rate", config.attn_drop_rate);
    check_rate("drop_rate", config.drop_rate);
    check_rate("drop_path_rate", config.drop_path_rate);
}

}  // namespace vit::inline internal
