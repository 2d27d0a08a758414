#include "engine/graph/build_vit.h"

#include <cmath>
#include <string>
#include <utility>

#include "vit/error.h"

namespace vit::inline internal {

namespace {

/// The graph under construction, and the configuration that it is built from.
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
    ValueId norm(const std::string& name, ValueId x) { return norm(name, name, x, 1); }
    /// `groups`: number of parts of a row; each part is normalised separately.
    ValueId norm(const std::string& name, const std::string& weight, ValueId x,
                 std::int64_t groups) {
        return same_shape(name, norm_op(weight, groups), {x});
    }
    op::LayerNorm norm_op(const std::string& weight, std::int64_t groups) const {
        const bool rms = config.norm == Norm::rms_norm;
        return {weight + ".weight", rms ? "" : weight + ".bias", config.norm_eps, rms, groups};
    }
    ValueId activate(const std::string& name, ValueId x) {
        return same_shape(name, op::Activate{config.activation}, {x});
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

/// Patches, prefix tokens and positions.
ValueId embed(Builder& b) {
    const ModelConfig& c = b.config;
    const ImageSize size = b.graph.image_size;
    const std::int64_t patches = (size.height / c.patch_height) * (size.width / c.patch_width);
    op::PatchEmbed patch{c.patch_height, c.patch_width, "patch_embed.weight",
                         c.patch_bias ? "patch_embed.bias" : ""};
    if (c.patch_norm) patch.norm = b.norm_op("patch_norm", 1);
    ValueId x = b.graph.add("patch_embed", patch, {b.graph.image}, patches, c.embed_dim);

    if (c.embed_norm) x = b.norm("patch_embed.norm", x);
    std::vector<std::string> prefix;
    if (c.class_token) prefix.push_back("cls_token");
    if (c.distillation_token) prefix.push_back("dist_token");
    if (c.register_tokens > 0) prefix.push_back("reg_token");

    const auto add_positions = [&] {
        x = b.same_shape("pos_embed", op::AddPosition{"pos_embed"}, {x});
    };
    if (c.position_table && c.no_embed_class) add_positions();
    if (!prefix.empty())
        x = b.graph.add("prefix_tokens", op::PrependTokens{prefix}, {x},
                        c.prefix_tokens() + patches, c.embed_dim);
    if (c.position_table && !c.no_embed_class) add_positions();
    x = b.dropout("pos_drop", x, c.pos_drop_rate);
    x = b.dropout("patch_drop", x, c.patch_drop_rate);
    return c.pre_norm ? b.norm("norm_pre", x) : x;
}

/// softmax(q kᵀ / √head_dim) v for each head.
ValueId softmax_attention(Builder& b, const std::string& name, std::int64_t heads, ValueId q,
                          ValueId k, ValueId v, double drop_rate) {
    const std::int64_t head_dim = b.shape(q).cols / heads, value_dim = b.shape(v).cols / heads;
    const double scale = 1.0 / std::sqrt(static_cast<double>(head_dim));
    return b.graph.add(name, op::Attention{heads, head_dim, value_dim, scale, drop_rate}, {q, k, v},
                       b.shape(q).rows, b.shape(v).cols);
}

/// Attention to the values v. `which` is "1" or "2" for the two softmaxes of differential
/// attention.
ValueId self_attention(Builder& b, const std::string& name, const std::string& which, ValueId x,
                       ValueId v) {
    const ModelConfig& c = b.config;
    const std::int64_t width = c.heads * c.head_dim / (c.differential_attention ? 2 : 1);
    const auto project = [&](const std::string& part) {
        const ValueId y = b.linear(name + part + which, x, width, c.qkv_bias);
        const std::string norm = name + part + "_norm";
        return c.qk_norm ? b.norm(norm + which, norm, y, c.heads) : y;
    };
    const ValueId q = project(".q"), k = project(".k");
    return softmax_attention(b, name + which, c.heads, q, k, v, c.attn_drop_rate);
}

/// The difference of two softmaxes. Each head is normalised separately (Ye et al., "Differential
/// Transformer", 2024).
ValueId differential_attention(Builder& b, const std::string& name, ValueId x, ValueId v) {
    const ModelConfig& c = b.config;
    const ValueId first = self_attention(b, name, "1", x, v),
                  second = self_attention(b, name, "2", x, v);
    const ValueId difference =
        b.same_shape(name + ".difference", op::SubtractScaled{name + ".lambda"}, {first, second});
    const std::string norm = name + ".sub_norm";
    return b.same_shape(norm, op::LayerNorm{norm + ".weight", "", c.sub_norm_eps, true, c.heads},
                        {difference});
}

ValueId attention(Builder& b, const std::string& name, ValueId x) {
    const ModelConfig& c = b.config;
    const ValueId v = b.linear(name + ".v", x, c.heads * c.head_dim, c.qkv_bias);
    ValueId a = c.differential_attention ? differential_attention(b, name, x, v)
                                         : self_attention(b, name, "", x, v);
    if (c.scale_attn_norm) a = b.norm(name + ".norm", a);
    const ValueId out = b.linear(name + ".proj", a, c.embed_dim, c.proj_bias);
    return b.dropout(name + ".proj_drop", out, c.proj_drop_rate);
}

ValueId mlp(Builder& b, const std::string& name, ValueId x) {
    const ModelConfig& c = b.config;
    ValueId h = b.linear(name + ".fc1", x, c.mlp_dim, c.fc1_bias);
    if (c.glu) {  // Shazeer, "GLU Variants Improve Transformer", 2020
        const ValueId gate =
            b.activate(name + ".act", b.linear(name + ".gate", x, c.mlp_dim, c.fc1_bias));
        h = b.same_shape(name + ".gated", op::Multiply{}, {gate, h});
    } else {
        h = b.activate(name + ".act", h);
    }
    h = b.dropout(name + ".drop1", h, c.proj_drop_rate);
    if (c.scale_mlp_norm) h = b.norm(name + ".norm", h);
    h = b.linear(name + ".fc2", h, c.embed_dim, c.fc2_bias);
    return b.dropout(name + ".drop2", h, c.proj_drop_rate);
}

/// x + y, where y first passes LayerScale and stochastic depth (Huang et al., 2016). The drop rate
/// grows linearly with depth. `place` names the branch within a block: "1", "2".
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

/// The norm comes before attention and before the MLP (Xiong et al., 2020).
ValueId sequential_block(Builder& b, std::int64_t index, ValueId x) {
    const std::string name = "blocks." + std::to_string(index);
    ValueId y = attention(b, name + ".attn", b.norm(name + ".norm1", x));
    x = add_branch(b, index, name + ".ls1", "1", x, y);
    y = mlp(b, name + ".mlp", b.norm(name + ".norm2", x));
    return add_branch(b, index, name + ".ls2", "2", x, y);
}

/// The norm comes after attention and after the MLP, before their result is added (Liu et al.,
/// 2022).
ValueId res_post_norm_block(Builder& b, std::int64_t index, ValueId x) {
    const std::string name = "blocks." + std::to_string(index);
    ValueId y = b.norm(name + ".norm1", attention(b, name + ".attn", x));
    x = add_branch(b, index, "", "1", x, y);
    y = b.norm(name + ".norm2", mlp(b, name + ".mlp", x));
    return add_branch(b, index, "", "2", x, y);
}

/// Attention and MLP read the same norm (Dehghani et al., 2023).
ValueId parallel_scaling_block(Builder& b, std::int64_t index, ValueId x) {
    const std::string name = "blocks." + std::to_string(index);
    const ValueId normed = b.norm(name + ".norm1", x);
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
            const ValueId y = branch(b, one + "." + part, b.norm(one + ".norm", x));
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

/// Attention of one learned query to the rows of x (Lee et al., "Set Transformer", 2019). Without
/// the MLP it is CoCa's pooler (Yu et al., 2022).
ValueId attention_pool(Builder& b, ValueId x) {
    const ModelConfig& c = b.config;
    const std::string name = "attn_pool";
    const auto project = [&](const std::string& part, ValueId from) {
        return b.linear(name + part, from, c.pooled_dim(), true);
    };
    const ValueId latent =
        b.graph.add(name + ".latent", op::Constant{name + ".latent"}, {}, 1, c.pooled_dim());
    const ValueId q = project(".q", latent), k = project(".k", x), v = project(".v", x);
    x = project(".proj", softmax_attention(b, name, c.pool_heads, q, k, v, 0));
    if (c.pool_mlp_dim == 0) return x;
    ValueId h = b.linear(name + ".mlp.fc1", b.norm(name + ".norm", x), c.pool_mlp_dim, true);
    h = project(".mlp.fc2", b.activate(name + ".mlp.act", h));
    return b.same_shape(name + ".add", op::Add{}, {x, h});
}

/// Reduces all rows to one.
ValueId pool(Builder& b, ValueId x) {
    const ModelConfig& c = b.config;
    const std::int64_t cols = b.shape(x).cols;
    const std::int64_t first = c.pool_include_prefix ? 0 : c.prefix_tokens(),
                       count = b.shape(x).rows - first;
    const auto mean = [&](const std::string& name) {
        return b.graph.add(name, op::MeanRows{first, count}, {x}, 1, cols);
    };
    const auto max = [&](const std::string& name) {
        return b.graph.add(name, op::MaxRows{first, count}, {x}, 1, cols);
    };
    switch (c.pooling) {
        case Pooling::token:
            return select_row(b, "pool", x, 0);
        case Pooling::avg:
            return mean("pool");
        case Pooling::max:
            return max("pool");
        case Pooling::avgmax:
            return b.same_shape("pool", op::Average{}, {mean("pool.mean"), max("pool.max")});
        case Pooling::map:
            if (first > 0)
                x = b.graph.add("attn_pool.rows", op::SelectRows{first, count}, {x}, count, cols);
            return attention_pool(b, x);
    }
    throw Error(ErrorKind::internal, "unknown pooling");
}

/// The layers between a pooled vector and its logits.
ValueId head(Builder& b, const std::string& name, ValueId x) {
    const ModelConfig& c = b.config;
    return c.num_classes > 0
               ? b.linear(name, b.dropout(name + "_drop", x, c.drop_rate), c.num_classes, true)
               : x;
}

/// Computes the pooled vector and the logits. DeiT's distilled models average the heads of two
/// tokens (Touvron et al., 2021). DINOv2's classifiers read the class token and the mean of the
/// patches (Oquab et al., 2023).
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
    if (c.mean_head) {
        const std::int64_t skipped = c.pool_include_prefix ? 0 : c.prefix_tokens();
        const ValueId cls = select_row(b, "pool", x, 0);
        const ValueId mean = b.graph.add(
            "pool_mean", op::MeanRows{skipped, b.shape(x).rows - skipped}, {x}, 1, b.shape(x).cols);
        b.graph.features = cls;
        b.graph.logits =
            b.same_shape("logits", op::Add{},
                         {head(b, "head", cls), b.linear("head_mean", mean, c.num_classes, false)});
        return;
    }
    x = pool(b, x);
    if (c.fc_norm) x = b.norm("fc_norm", x);
    if (c.representation_size > 0) {
        x = b.linear("pre_logits", x, c.representation_size, true);
        x = b.same_shape("pre_logits.act", op::Activate{Activation::tanh}, {x});
    }
    b.graph.features = x;
    b.graph.logits = head(b, "head", x);
}

}  // namespace

Graph build_vit(const ModelConfig& config, ImageSize image_size) {
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
    if (config.final_norm) x = b.norm("norm", x);
    b.graph.tokens = x;
    pool_and_classify(b, x);
    return std::move(b.graph);
}

}  // namespace vit::inline internal
