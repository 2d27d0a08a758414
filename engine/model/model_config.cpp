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

/// Collects the tensors that a model needs, in the order of the file.
class Specs {
  public:
    explicit Specs(const ModelConfig& config) : c_(config) {}

    void add(std::string name, Shape shape) {
        specs_.push_back({std::move(name), std::move(shape)});
    }
    void linear(const std::string& name, std::int64_t out, std::int64_t in, bool bias) {
        add(name + ".weight", {out, in});
        if (bias) add(name + ".bias", {out});
    }
    void norm(const std::string& name, std::int64_t width) {
        add(name + ".weight", {width});
        if (c_.norm == Norm::layer_norm) add(name + ".bias", {width});
    }

    void attention(const std::string& name) {
        const std::int64_t dim = c_.embed_dim, width = c_.heads * c_.head_dim;
        const bool differential = c_.differential_attention;
        if (differential) {
            for (const char* part : {".q1", ".q2", ".k1", ".k2"})
                linear(name + part, width / 2, dim, c_.qkv_bias);
        } else {
            linear(name + ".q", width, dim, c_.qkv_bias);
            linear(name + ".k", width, dim, c_.qkv_bias);
        }
        linear(name + ".v", width, dim, c_.qkv_bias);
        if (c_.qk_norm) {
            norm(name + ".q_norm", differential ? c_.head_dim / 2 : c_.head_dim);
            norm(name + ".k_norm", differential ? c_.head_dim / 2 : c_.head_dim);
        }
        if (differential) {
            add(name + ".lambda", {1});
            add(name + ".sub_norm.weight", {c_.head_dim});
        }
        if (c_.scale_attn_norm) norm(name + ".norm", width);
        linear(name + ".proj", dim, width, c_.proj_bias);
    }

    void mlp(const std::string& name) {
        if (c_.glu) linear(name + ".gate", c_.mlp_dim, c_.embed_dim, c_.fc1_bias);
        linear(name + ".fc1", c_.mlp_dim, c_.embed_dim, c_.fc1_bias);
        if (c_.scale_mlp_norm) norm(name + ".norm", c_.mlp_dim);
        linear(name + ".fc2", c_.embed_dim, c_.mlp_dim, c_.fc2_bias);
    }

    void layer_scale(const std::string& name) {
        if (c_.layer_scale) add(name, {c_.embed_dim});
    }

    void block(const std::string& name) {
        if (c_.block == BlockKind::parallel_things) {
            for (std::int64_t j = 0; j < c_.parallel; ++j) {
                const std::string branch = fmt::format("{}.attns.{}", name, j);
                norm(branch + ".norm", c_.embed_dim);
                attention(branch + ".attn");
                layer_scale(branch + ".ls");
            }
            for (std::int64_t j = 0; j < c_.parallel; ++j) {
                const std::string branch = fmt::format("{}.ffns.{}", name, j);
                norm(branch + ".norm", c_.embed_dim);
                mlp(branch + ".mlp");
                layer_scale(branch + ".ls");
            }
            return;
        }
        norm(name + ".norm1", c_.embed_dim);
        attention(name + ".attn");
        layer_scale(name + ".ls1");
        if (c_.block != BlockKind::parallel_scaling) norm(name + ".norm2", c_.embed_dim);
        mlp(name + ".mlp");
        layer_scale(name + ".ls2");
    }

    void attention_pooling() {
        const std::int64_t dim = c_.pooled_dim();
        add("attn_pool.latent", {dim});
        linear("attn_pool.q", dim, dim, true);
        for (const char* part : {"attn_pool.k", "attn_pool.v"})
            linear(part, dim, c_.embed_dim, true);
        linear("attn_pool.proj", dim, dim, true);
        if (c_.pool_mlp_dim == 0) return;
        norm("attn_pool.norm", dim);
        linear("attn_pool.mlp.fc1", c_.pool_mlp_dim, dim, true);
        linear("attn_pool.mlp.fc2", dim, c_.pool_mlp_dim, true);
    }

    std::vector<TensorSpec> take() { return std::move(specs_); }

  private:
    const ModelConfig& c_;
    std::vector<TensorSpec> specs_;
};

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

DType stored_dtype(const TensorSpec& tensor, DType model) {
    const bool matrix = tensor.shape.size() > 1;
    const bool in_blocks =
        tensor.name.starts_with("blocks.") || tensor.name == "patch_embed.weight";
    return matrix && in_blocks ? model : DType::f32;
}

std::vector<TensorSpec> required_tensors(const ModelConfig& config) {
    const std::int64_t dim = config.embed_dim;
    Specs specs(config);
    if (config.patch_norm)
        specs.norm("patch_norm", config.in_chans * config.patch_height * config.patch_width);
    specs.add("patch_embed.weight",
              {dim, config.in_chans, config.patch_height, config.patch_width});
    if (config.patch_bias) specs.add("patch_embed.bias", {dim});
    if (config.embed_norm) specs.norm("patch_embed.norm", dim);
    if (config.class_token) specs.add("cls_token", {dim});
    if (config.distillation_token) specs.add("dist_token", {dim});
    if (config.register_tokens > 0) specs.add("reg_token", {config.register_tokens, dim});
    const std::int64_t patches = (config.image_size.height / config.patch_height) *
                                 (config.image_size.width / config.patch_width);
    if (config.position_table)
        specs.add("pos_embed",
                  {patches + (config.no_embed_class ? 0 : config.prefix_tokens()), dim});
    if (config.pre_norm) specs.norm("norm_pre", dim);
    for (std::int64_t n = 0; n < config.depth; ++n) specs.block(fmt::format("blocks.{}", n));
    if (config.final_norm) specs.norm("norm", dim);
    if (config.pooling == Pooling::map) specs.attention_pooling();
    if (config.fc_norm) specs.norm("fc_norm", config.pooled_dim());
    const std::int64_t features = config.features();
    if (config.representation_size > 0)
        specs.linear("pre_logits", features, config.pooled_dim(), true);
    if (config.num_classes > 0) {
        specs.linear("head", config.num_classes, features, true);
        if (config.distillation_token)
            specs.linear("head_dist", config.num_classes, features, true);
        if (config.mean_head) specs.linear("head_mean", config.num_classes, features, false);
    }
    return specs.take();
}

}  // namespace vit::inline internal
