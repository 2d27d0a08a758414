#include "engine/graph/build_vit.h"

#include <cmath>
#include <string>

#include "vit/error.h"

namespace vit {

namespace {

/// What the pieces below share: the graph that grows, and the numbers it is built from.
struct Builder {
    const ModelConfig& config;
    Graph graph;

    Value shape(ValueId x) const { return graph.value(x); }
    ValueId same_shape(std::string name, Op op, std::vector<ValueId> inputs) {
        const Value v = shape(inputs.front());
        return graph.add(std::move(name), std::move(op), std::move(inputs), v.rows, v.cols);
    }

    ValueId linear(const std::string& name, ValueId x, std::int64_t out, bool bias) {
        return graph.add(name, op::Linear{name + ".weight", bias ? name + ".bias" : "", "", {}},
                         {x}, shape(x).rows, out);
    }
    ValueId layer_norm(const std::string& name, ValueId x) {
        return same_shape(name, op::LayerNorm{name + ".weight", name + ".bias", config.norm_eps},
                          {x});
    }
    ValueId dropout(const std::string& name, ValueId x, double rate) {
        return rate > 0 ? same_shape(name, op::Dropout{rate}, {x}) : x;
    }
    ValueId drop_path(const std::string& name, ValueId x, double rate) {
        return rate > 0 ? same_shape(name, op::DropPath{rate}, {x}) : x;
    }
    ValueId layer_scale(const std::string& name, ValueId x) {
        return config.layer_scale ? same_shape(name, op::LayerScale{name}, {x}) : x;
    }
};

/// Patches, prefix tokens, positions.
ValueId embed(Builder& b) {
    const ModelConfig& c = b.config;
    const ImageSize size = b.graph.image_size;
    const std::int64_t patches = (size.height / c.patch_height) * (size.width / c.patch_width);
    ValueId x = b.graph.add(
        "patch_embed",
        op::PatchEmbed{c.patch_height, c.patch_width, "patch_embed.weight", "patch_embed.bias"},
        {b.graph.image}, patches, c.embed_dim);

    std::vector<std::string> prefix;
    if (c.class_token) prefix.push_back("cls_token");
    if (c.distillation_token) prefix.push_back("dist_token");
    if (c.register_tokens > 0) prefix.push_back("reg_token");

    if (c.no_embed_class) x = b.same_shape("pos_embed", op::AddPosition{"pos_embed"}, {x});
    if (!prefix.empty())
        x = b.graph.add("prefix_tokens", op::PrependTokens{prefix}, {x},
                        c.prefix_tokens() + patches, c.embed_dim);
    if (!c.no_embed_class) x = b.same_shape("pos_embed", op::AddPosition{"pos_embed"}, {x});
    x = b.dropout("pos_drop", x, c.pos_drop_rate);
    return b.dropout("patch_drop", x, c.patch_drop_rate);
}

ValueId attention(Builder& b, const std::string& name, ValueId x) {
    const ModelConfig& c = b.config;
    const std::int64_t width = c.heads * c.head_dim;
    const ValueId q = b.linear(name + ".q", x, width, c.qkv_bias);
    const ValueId k = b.linear(name + ".k", x, width, c.qkv_bias);
    const ValueId v = b.linear(name + ".v", x, width, c.qkv_bias);
    const double scale = 1.0 / std::sqrt(static_cast<double>(c.head_dim));
    const ValueId a =
        b.same_shape(name, op::Attention{c.heads, c.head_dim, scale, c.attn_drop_rate}, {q, k, v});
    const ValueId out = b.linear(name + ".proj", a, c.embed_dim, c.proj_bias);
    return b.dropout(name + ".proj_drop", out, c.proj_drop_rate);
}

ValueId mlp(Builder& b, const std::string& name, ValueId x) {
    const ModelConfig& c = b.config;
    ValueId h = b.linear(name + ".fc1", x, c.mlp_dim, c.proj_bias);
    h = b.same_shape(name + ".act", op::Activate{c.activation}, {h});
    h = b.dropout(name + ".drop1", h, c.proj_drop_rate);
    h = b.linear(name + ".fc2", h, c.embed_dim, c.proj_bias);
    return b.dropout(name + ".drop2", h, c.proj_drop_rate);
}

/// Pre-norm transformer block; stochastic depth (Huang et al., 2016) grows linearly with depth.
ValueId block(Builder& b, std::int64_t index, ValueId x) {
    const std::string name = "blocks." + std::to_string(index);
    const double rate = b.config.depth > 1 ? b.config.drop_path_rate * static_cast<double>(index) /
                                                 static_cast<double>(b.config.depth - 1)
                                           : 0.0;
    ValueId y = attention(b, name + ".attn", b.layer_norm(name + ".norm1", x));
    y = b.drop_path(name + ".drop_path1", b.layer_scale(name + ".ls1", y), rate);
    x = b.same_shape(name + ".add1", op::Add{}, {x, y});
    y = mlp(b, name + ".mlp", b.layer_norm(name + ".norm2", x));
    y = b.drop_path(name + ".drop_path2", b.layer_scale(name + ".ls2", y), rate);
    return b.same_shape(name + ".add2", op::Add{}, {x, y});
}

ValueId select_row(Builder& b, const std::string& name, ValueId x, std::int64_t row) {
    return b.graph.add(name, op::SelectRows{row, 1}, {x}, 1, b.shape(x).cols);
}

/// Everything between the pooled vector and a classifier.
ValueId head(Builder& b, const std::string& name, ValueId x) {
    const ModelConfig& c = b.config;
    return c.num_classes > 0
               ? b.linear(name, b.dropout(name + "_drop", x, c.drop_rate), c.num_classes, true)
               : x;
}

/// Pooled vector and logits. DeiT's distilled models average two tokens' heads (Touvron et al.,
/// 2021).
void pool_and_classify(Builder& b, ValueId x) {
    const ModelConfig& c = b.config;
    if (c.distillation_token) {
        const ValueId cls = select_row(b, "pool", x, 0), dist = select_row(b, "pool_dist", x, 1);
        b.graph.features = b.same_shape("features", op::Average{}, {cls, dist});
        b.graph.logits = c.num_classes > 0
                             ? b.same_shape("logits", op::Average{},
                                            {head(b, "head", cls), head(b, "head_dist", dist)})
                             : b.graph.features;
        return;
    }
    const Value tokens = b.shape(x);
    if (c.pooling == Pooling::token)
        x = select_row(b, "pool", x, 0);
    else
        x = b.graph.add("pool", op::MeanRows{c.prefix_tokens(), tokens.rows - c.prefix_tokens()},
                        {x}, 1, tokens.cols);
    if (c.fc_norm) x = b.layer_norm("fc_norm", x);
    if (c.representation_size > 0) {
        x = b.linear("pre_logits", x, c.representation_size, true);
        x = b.same_shape("pre_logits.act", op::Activate{Activation::tanh}, {x});
    }
    b.graph.features = x;
    b.graph.logits = head(b, "head", x);
}

}  // namespace

Graph build_vit(const ModelConfig& config, ImageSize image_size) {
    if (image_size.height <= 0 || image_size.width <= 0 ||
        image_size.height % config.patch_height != 0 || image_size.width % config.patch_width != 0)
        throw Error(ErrorKind::usage, "image size " + std::to_string(image_size.height) + "x" +
                                          std::to_string(image_size.width) +
                                          ": expected multiples of the patch size " +
                                          std::to_string(config.patch_height) + "x" +
                                          std::to_string(config.patch_width));
    Builder b{config, {}};
    b.graph.channels = config.in_chans;
    b.graph.image_size = image_size;
    b.graph.image = b.graph.add_value({config.in_chans, image_size.height * image_size.width});

    ValueId x = embed(b);
    for (std::int64_t i = 0; i < config.depth; ++i) x = block(b, i, x);
    if (config.final_norm) x = b.layer_norm("norm", x);
    b.graph.tokens = x;
    pool_and_classify(b, x);
    return std::move(b.graph);
}

}  // namespace vit
