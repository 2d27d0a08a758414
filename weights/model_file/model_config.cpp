#include "weights/model_file/model_config.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "vit/error.h"
#include "weights/model_file/model_file.h"

namespace vit {

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

}  // namespace

void validate(const ModelConfig& config) {
    // Wide enough for any published model, small enough that no product of two of them wraps.
    constexpr std::int64_t side = 65'535, width = 65'536, wide = 1 << 20;
    check_count("image height", config.image_size.height, 1, side);
    check_count("image width", config.image_size.width, 1, side);
    check_count("in_chans", config.in_chans, 1, 1024);
    check_count("patch height", config.patch_height, 1, config.image_size.height);
    check_count("patch width", config.patch_width, 1, config.image_size.width);
    if (config.image_size.height % config.patch_height != 0 ||
        config.image_size.width % config.patch_width != 0)
        refuse(fmt::format(
            "expected an image size that is a multiple of the patch size {}x{}, found {}x{}",
            config.patch_height, config.patch_width, config.image_size.height,
            config.image_size.width));
    check_count("embed_dim", config.embed_dim, 1, width);
    check_count("depth", config.depth, 1, 1000);
    check_count("heads", config.heads, 1, width);
    check_count("head_dim", config.head_dim, 1, width);
    check_count("heads * head_dim", config.heads * config.head_dim, 1, wide);
    check_count("mlp_dim", config.mlp_dim, 1, wide);
    check_count("register_tokens", config.register_tokens, 0, width);
    check_count("representation_size", config.representation_size, 0, width);
    check_count("num_classes", config.num_classes, 0, wide);
    if (config.pooling == Pooling::token && !config.class_token)
        refuse("pooling 'token' reads the class token, but class_token is false");
    if (config.distillation_token && !(config.class_token && config.pooling == Pooling::token))
        refuse("distillation_token needs class_token and pooling 'token'");
    if (!(std::isfinite(config.norm_eps) && config.norm_eps > 0 && config.norm_eps <= 1))
        refuse(fmt::format("expected norm_eps above 0 and at most 1, found {}", config.norm_eps));
    check_rate("pos_drop_rate", config.pos_drop_rate);
    check_rate("patch_drop_rate", config.patch_drop_rate);
    check_rate("proj_drop_rate", config.proj_drop_rate);
    check_rate("attn_drop_rate", config.attn_drop_rate);
    check_rate("drop_rate", config.drop_rate);
    check_rate("drop_path_rate", config.drop_path_rate);
}

DType stored_dtype(const TensorSpec& tensor, DType model) {
    const bool matrix = tensor.shape.size() > 1;
    const bool in_blocks =
        tensor.name.starts_with("blocks.") || tensor.name == "patch_embed.weight";
    return matrix && in_blocks ? model : DType::f32;
}

std::vector<TensorSpec> required_tensors(const ModelConfig& config) {
    const std::int64_t dim = config.embed_dim;
    const std::int64_t attention = config.heads * config.head_dim;
    std::vector<TensorSpec> specs;
    const auto add = [&specs](std::string name, Shape shape) {
        specs.push_back({std::move(name), std::move(shape)});
    };
    const auto linear = [&add](const std::string& name, std::int64_t out, std::int64_t in,
                               bool bias) {
        add(name + ".weight", {out, in});
        if (bias) add(name + ".bias", {out});
    };
    const auto norm = [&add, dim](const std::string& name) {
        add(name + ".weight", {dim});
        add(name + ".bias", {dim});
    };

    add("patch_embed.weight", {dim, config.in_chans, config.patch_height, config.patch_width});
    add("patch_embed.bias", {dim});
    if (config.class_token) add("cls_token", {dim});
    if (config.distillation_token) add("dist_token", {dim});
    if (config.register_tokens > 0) add("reg_token", {config.register_tokens, dim});
    const std::int64_t patches = (config.image_size.height / config.patch_height) *
                                 (config.image_size.width / config.patch_width);
    add("pos_embed", {patches + (config.no_embed_class ? 0 : config.prefix_tokens()), dim});
    for (std::int64_t n = 0; n < config.depth; ++n) {
        const std::string block = fmt::format("blocks.{}.", n);
        norm(block + "norm1");
        linear(block + "attn.q", attention, dim, config.qkv_bias);
        linear(block + "attn.k", attention, dim, config.qkv_bias);
        linear(block + "attn.v", attention, dim, config.qkv_bias);
        linear(block + "attn.proj", dim, attention, config.proj_bias);
        if (config.layer_scale) add(block + "ls1", {dim});
        norm(block + "norm2");
        linear(block + "mlp.fc1", config.mlp_dim, dim, config.proj_bias);
        linear(block + "mlp.fc2", dim, config.mlp_dim, config.proj_bias);
        if (config.layer_scale) add(block + "ls2", {dim});
    }
    if (config.final_norm) norm("norm");
    if (config.fc_norm) norm("fc_norm");
    const std::int64_t features = config.representation_size > 0 ? config.representation_size : dim;
    if (config.representation_size > 0) linear("pre_logits", features, dim, true);
    if (config.num_classes > 0) {
        linear("head", config.num_classes, features, true);
        if (config.distillation_token) linear("head_dist", config.num_classes, features, true);
    }
    return specs;
}

}  // namespace vit
