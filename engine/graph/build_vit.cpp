#include "engine/graph/build_vit.h"

#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

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
    ValueId x = b.graph.add("patch_embed",
                            op::PatchEmbed{c.patch_height, c.patch_width, "patch_embed.weight",
                                           c.patch_bias ? "patch_embed.bias" : ""},
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
    x = b.dropout("patch_drop", x, c.patch_drop_rate);
    return c.pre_norm ? b.layer_norm("norm_pre", x) : x;
}

ValueId attention(Builder& b, const std::string& name, ValueId x) {
    const ModelConfig& c = b.config;
    const std::int64_t width = c.heads * c.head_dim;
    const ValueId q = b.linear(name + ".q", x, width, c.qkv_bias);
    const ValueId k = b.linear(name + ".k", x, width, c.qkv_bias);
    const ValueId v = b.linear(name + ".v", x, width, c.qkv_bias);
    const double scale = 1.0 / std::sqrt(static_cast<double>(c.head_dim));
    ValueId a =
        b.same_shape(name, op::Attention{c.heads, c.head_dim, scale, c.attn_drop_rate}, {q, k, v});
    if (c.scale_attn_norm) a = b.layer_norm(name + ".norm", a);
    const ValueId out = b.linear(name + ".proj", a, c.embed_dim, c.proj_bias);
    return b.dropout(name + ".proj_drop", out, c.proj_drop_rate);
}

ValueId mlp(Builder& b, const std::string& name, ValueId x) {
    const ModelConfig& c = b.config;
    ValueId h = b.linear(name + ".fc1", x, c.mlp_dim, c.fc1_bias);
    h = b.same_shape(name + ".act", op::Activate{c.activation}, {h});
    h = b.dropout(name + ".drop1", h, c.proj_drop_rate);
    if (c.scale_mlp_norm) h = b.layer_norm(name + ".norm", h);
    h = b.linear(name + ".fc2", h, c.embed_dim, c.fc2_bias);
    return b.dropout(name + ".drop2", h, c.proj_drop_rate);
}

/// x + y after y's LayerScale and stochastic depth (Huang et al., 2016), which grows linearly with
/// depth; `place` tells the branches of a block apart: "1", "2".
ValueId add_branch(Builder& b, std::int64_t index, const std::string& scale,
                   const std::string& place, ValueId x, ValueId y) {
    const std::string name = "blocks." + std::to_string(index);
    const double rate = b.config.depth > 1 ? b.config.drop_path_rate * static_cast<double>(index) /
                                                 static_cast<double>(b.config.depth - 1)
                                           : 0.0;
    if (!scale.empty()) y = b.layer_scale(scale, y);
    y = b.drop_path(name + ".drop_path" + place, y, rate);
    return b.same_shape(name + ".add" + place, op::Add{}, {x, y});
}

/// Norm before attention and MLP (Xiong et al., 2020).
ValueId sequential_block(Builder& b, std::int64_t index, ValueId x) {
    const std::string name = "blocks." + std::to_string(index);
    ValueId y = attention(b, name + ".attn", b.layer_norm(name + ".norm1", x));
    x = add_branch(b, index, name + ".ls1", "1", x, y);
    y = mlp(b, name + ".mlp", b.layer_norm(name + ".norm2", x));
    return add_branch(b, index, name + ".ls2", "2", x, y);
}

/// Norm after attention and MLP, before they are added (Liu et al., 2022).
ValueId res_post_norm_block(Builder& b, std::int64_t index, ValueId x) {
    const std::string name = "blocks." + std::to_string(index);
    ValueId y = b.layer_norm(name + ".norm1", attention(b, name + ".attn", x));
    x = add_branch(b, index, "", "1", x, y);
    y = b.layer_norm(name + ".norm2", mlp(b, name + ".mlp", x));
    return add_branch(b, index, "", "2", x, y);
}

/// Attention and MLP read the same norm (Dehghani et al., 2023).
ValueId parallel_scaling_block(Builder& b, std::int64_t index, ValueId x) {
    const std::string name = "blocks." + std::to_string(index);
    const ValueId normed = b.layer_norm(name + ".norm1", x);
    x = add_branch(b, index, name + ".ls1", "1", x, attention(b, name + ".attn", normed));
    return add_branch(b, index, name + ".ls2", "2", x, mlp(b, name + ".mlp", normed));
}

/// Several attentions, then several MLPs, side by side (Touvron et al., 2022).
ValueId parallel_things_block(Builder& b, std::int64_t index, ValueId x) {
    const std::string name = "blocks." + std::to_string(index);
    const auto side_by_side = [&](const std::string& kind, auto&& branch, const std::string& part) {
        ValueId sum = x;
        for (std::int64_t j = 0; j < b.config.parallel; ++j) {
            const std::string one = name + "." + kind + "." + std::to_string(j);
            const ValueId y = branch(b, one + "." + part, b.layer_norm(one + ".norm", x));
            sum = add_branch(b, index, one + ".ls", "." + kind + "." + std::to_string(j), sum, y);
        }
        x = sum;
    };
    side_by_side("attns", attention, "attn");
    side_by_side("ffns", mlp, "mlp");
    return x;
}

ValueId block(Builder& b, std::int64_t index, ValueId x) {
    switch (b.config.block) {
        case BlockKind::res_post_norm:
            return res_post_norm_block(b, index, x);
        case BlockKind::parallel_scaling:
            return parallel_scaling_block(b, index, x);
        case BlockKind::parallel_things:
            return parallel_things_block(b, index, x);
        case BlockKind::sequential:
            break;
    }
    return sequential_block(b, index, x);
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
/// 2021); DINOv2's classifiers read the class token beside the mean of the patches (Oquab et al.,
/// 2023).
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
    const std::int64_t skipped = c.pool_include_prefix ? 0 : c.prefix_tokens();
    if (c.mean_head) {
        const ValueId cls = select_row(b, "pool", x, 0);
        const ValueId mean = b.graph.add("pool_mean", op::MeanRows{skipped, tokens.rows - skipped},
                                         {x}, 1, tokens.cols);
        b.graph.features = cls;
        b.graph.logits =
            b.same_shape("logits", op::Add{},
                         {head(b, "head", cls), b.linear("head_mean", mean, c.num_classes, false)});
        return;
    }
    if (c.pooling == Pooling::token)
        x = select_row(b, "pool", x, 0);
    else
        x = b.graph.add("pool", op::MeanRows{skipped, tokens.rows - skipped}, {x}, 1, tokens.cols);
    if (c.fc_norm) x = b.layer_norm("fc_norm", x);
    if (c.representation_size > 0) {
        x = b.linear("pre_logits", x, c.representation_size, true);
        x = b.same_shape("pre_logits.act", op::Activate{Activation::tanh}, {x});
    }
    b.graph.features = x;
    b.graph.logits = head(b, "head", x);
}

/// What model files can say and no graph has yet.
void check_supported(const ModelConfig& c) {
    const std::array<std::pair<bool, std::string_view>, 8> missing{
        {{c.norm == Norm::rms_norm, "RMSNorm"},
         {c.block == BlockKind::res_post_norm, "a norm after attention and MLP"},
         {c.glu, "a gated MLP"},
         {c.qk_norm, "norms of queries and keys"},
         {c.differential_attention, "differential attention"},
         {c.pooling != Pooling::token && c.pooling != Pooling::avg, "this pooling"},
         {c.embed_norm, "a norm in the patch embedding"},
         {!c.position_table, "a model without position table"}}};
    for (const auto& [present, what] : missing)
        if (present)
            throw Error(ErrorKind::model, "architecture " + c.architecture + ": " +
                                              std::string(what) +
                                              " is not computed yet; another engine version may");
}

}  // namespace

Graph build_vit(const ModelConfig& config, ImageSize image_size) {
    check_supported(config);
    if (image_size.height < config.patch_height || image_size.width < config.patch_width)
        throw Error(ErrorKind::usage, "image size " + std::to_string(image_size.height) + "x" +
                                          std::to_string(image_size.width) +
                                          ": expected at least one patch of " +
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
