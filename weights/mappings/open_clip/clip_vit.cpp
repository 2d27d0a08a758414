#include "weights/mappings/open_clip/clip_vit.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/mappings/common/tensor_facts.h"
#include "weights/mappings/open_clip/open_clip_config.h"
#include "weights/mappings/timm/arch_settings.h"

namespace vit::inline internal {

namespace {

using enum TensorTransform;

constexpr std::string_view text_half = "of the text half: the model is the image tower";
constexpr std::string_view told = "the image tower's tensors tell it";

constexpr std::array rules{
    MappingRule{"visual.conv1.weight", "patch_embed.weight"},
    MappingRule{"visual.class_embedding", "cls_token"},
    MappingRule{"visual.positional_embedding", "pos_embed", position_table},
    MappingRule{"visual.ln_pre.$", "norm_pre.$"},

    MappingRule{"visual.transformer.resblocks.#.ln_1.$", "blocks.#.norm1.$"},
    MappingRule{"visual.transformer.resblocks.#.attn.in_proj_$", "blocks.#.attn.{q,k,v}.$",
                split_rows},
    MappingRule{"visual.transformer.resblocks.#.attn.out_proj.$", "blocks.#.attn.proj.$"},
    MappingRule{"visual.transformer.resblocks.#.ls_1.gamma", "blocks.#.ls1"},
    MappingRule{"visual.transformer.resblocks.#.ln_2.$", "blocks.#.norm2.$"},
    MappingRule{"visual.transformer.resblocks.#.mlp.c_fc.$", "blocks.#.mlp.fc1.$"},
    MappingRule{"visual.transformer.resblocks.#.mlp.c_proj.$", "blocks.#.mlp.fc2.$"},
    MappingRule{"visual.transformer.resblocks.#.ls_2.gamma", "blocks.#.ls2"},

    MappingRule{"visual.ln_post.$", "norm.$"},
    MappingRule{"visual.proj", "head.weight", transpose},

    MappingRule{"transformer.*", "", drop, text_half},
    MappingRule{"token_embedding.weight", "", drop, text_half},
    MappingRule{"positional_embedding", "", drop, text_half},
    MappingRule{"ln_final.*", "", drop, text_half},
    MappingRule{"text_projection*", "", drop, text_half},
    MappingRule{"attn_mask", "", drop, text_half},
    MappingRule{"text.*", "", drop, text_half},
    MappingRule{"text_decoder.*", "", drop, text_half},
    MappingRule{"logit_scale", "", drop, text_half},
    MappingRule{"logit_bias", "", drop, text_half},
    MappingRule{"context_length", "", drop, text_half},
    MappingRule{"vocab_size", "", drop, text_half},
    MappingRule{"input_resolution", "", drop, told},
};

constexpr std::array norm_after_pooling{
    MappingRule{"visual.ln_post.$", "fc_norm.$", as_is, "after pooling"},
};

constexpr std::string_view in_latent = "the query that is pooled, part of attn_pool.latent";
constexpr std::array attention_pooler{
    MappingRule{"visual.ln_post.$", "fc_norm.$", as_is, "after pooling"},
    MappingRule{"visual.attn_pool.ln_k.$", "norm.$", as_is, "before pooling"},
    MappingRule{"visual.attn_pool.query", "", drop, in_latent},
    MappingRule{"visual.attn_pool.ln_q.$", "", drop, in_latent},
    MappingRule{"visual.attn_pool.attn.in_proj_weight", "attn_pool.{q,k,v}.weight", split_rows},
    MappingRule{"visual.attn_pool.attn.q_proj_weight", "attn_pool.q.weight"},
    MappingRule{"visual.attn_pool.attn.k_proj_weight", "attn_pool.k.weight"},
    MappingRule{"visual.attn_pool.attn.v_proj_weight", "attn_pool.v.weight"},
    MappingRule{"visual.attn_pool.attn.in_proj_bias", "attn_pool.{q,k,v}.bias", split_rows},
    MappingRule{"visual.attn_pool.attn.out_proj.$", "attn_pool.proj.$"},
};

constexpr std::array<std::string_view, 2> keys{"quick_gelu", "head_width"};

/// The configuration from --arch. Without --arch, OpenAI's where the checkpoint has OpenAI's
/// `input_resolution`.
OpenClipConfig named(const ArchSettings& settings, const Checkpoint& checkpoint,
                     const ModelConfig& c) {
    const std::optional<std::string> quick_gelu = settings.text("quick_gelu");
    const bool openai = settings.name.empty()
                            ? find_tensor(checkpoint.tensors, "input_resolution") != nullptr
                            : settings.name == "openai";
    if (!openai && settings.name != "open_clip")
        throw Error(ErrorKind::usage,
                    fmt::format("recognised a CLIP image tower of width {}, {} blocks, {}x{} "
                                "patches; its activation is not in the tensors: pass --arch "
                                "clip.openai (quick GELU) or clip.open_clip, or put "
                                "open_clip_config.json beside the weights",
                                c.embed_dim, c.depth, c.patch_height, c.patch_width));
    if (quick_gelu && (openai || (*quick_gelu != "true" && *quick_gelu != "false")))
        throw Error(ErrorKind::usage,
                    fmt::format("--arch: quick_gelu: expected true or false with clip.open_clip, "
                                "found {}",
                                in_quotes(*quick_gelu)));
    OpenClipConfig out;
    out.preprocessing = clip_preprocessing();
    out.quick_gelu = openai || quick_gelu == "true";
    out.head_width = settings.count("head_width").value_or(out.head_width);
    return out;
}

void check(std::string_view key, std::optional<std::int64_t> said, std::int64_t found) {
    if (said && *said != found)
        throw Error(ErrorKind::model,
                    fmt::format("open_clip_config.json {} is {}, but the tensors have {}", key,
                                *said, found));
}

/// LayerNorm of the pooler's first query. With pool_type "tok", the other queries are not used. The
/// result does not depend on the image.
std::vector<float> pooler_latent(std::span<const TensorView> tensors, std::int64_t width,
                                 double eps) {
    const auto read = [&](const char* name, std::size_t rank) {
        shape_of(tensors, name, rank);  // must exist
        const TensorView& tensor = *find_tensor(tensors, name);
        if (tensor.shape.back() != width || tensor.shape.front() < 1)
            throw Error(ErrorKind::model,
                        fmt::format("tensor {}: expected {} columns as visual.proj has rows, found "
                                    "shape {}",
                                    in_quotes(name), width, to_string(tensor.shape)));
        return to_f32(tensor);
    };
    const std::vector<float> query = read("visual.attn_pool.query", 2),
                             weight = read("visual.attn_pool.ln_q.weight", 1),
                             bias = read("visual.attn_pool.ln_q.bias", 1);
    const auto n = static_cast<std::size_t>(width);
    double mean = 0, variance = 0;
    for (std::size_t i = 0; i < n; ++i) mean += static_cast<double>(query[i]);
    mean /= static_cast<double>(width);
    for (std::size_t i = 0; i < n; ++i)
        variance += std::pow(static_cast<double>(query[i]) - mean, 2);
    variance /= static_cast<double>(width);
    std::vector<float> out(n);
    for (std::size_t i = 0; i < n; ++i)
        out[i] = static_cast<float>((static_cast<double>(query[i]) - mean) /
                                        std::sqrt(variance + eps) * static_cast<double>(weight[i]) +
                                    static_cast<double>(bias[i]));
    return out;
}

/// Sets CoCa's pooler: a norm of all rows, attention of one query to them, and a second norm.
void set_attention_pooler(const OpenClipConfig& said, std::span<const TensorView> tensors,
                          ResolvedModel& out) {
    ModelConfig& c = out.config;
    constexpr double eps = 1e-5;  // the pooler's norms ignore norm_kwargs
    if (said.pooling != Pooling::token || said.norm_eps != eps)
        throw Error(
            ErrorKind::model,
            "open_clip_config.json model_cfg.vision_cfg.attentional_pool: true is supported "
            "with pool_type 'tok' and the usual norm_kwargs only");
    const Shape& proj = shape_of(tensors, "visual.proj", 2);
    check("attn_pooler_queries", said.pooler_queries,
          shape_of(tensors, "visual.attn_pool.query", 2)[0]);
    c.pooling = Pooling::map;
    c.pool_include_prefix = c.final_norm = c.fc_norm = true;
    c.pool_heads = said.pooler_heads;
    c.pool_width = proj[0] == c.embed_dim ? 0 : proj[0];
    out.droppable = attention_pooler;
    out.made.push_back({"attn_pool.latent", pooler_latent(tensors, proj[0], eps),
                        "the norm of the query that is pooled"});
}

}  // namespace

bool is_clip(const Checkpoint& checkpoint) {
    return find_tensor(checkpoint.tensors, "visual.class_embedding") ||
           find_tensor(checkpoint.tensors, "visual.transformer.resblocks.#.ln_1.weight");
}

ResolvedModel resolve_clip(const Checkpoint& checkpoint, const ConvertOptions& options) {
    const std::span<const TensorView> tensors = checkpoint.tensors;
    const ArchSettings settings = arch_settings(options.arch, "clip", keys);
    ResolvedModel out;
    ModelConfig& c = out.config;
    const Shape& kernel = shape_of(tensors, "visual.conv1.weight", 4);
    c.embed_dim = kernel[0];
    c.in_chans = kernel[1];
    c.patch_height = kernel[2];
    c.patch_width = kernel[3];
    c.patch_bias = false;
    c.depth = count_tensors(tensors, "visual.transformer.resblocks.#.ln_1.weight");
    c.mlp_dim = shape_of(tensors, "visual.transformer.resblocks.0.mlp.c_fc.weight", 2)[0];
    c.pre_norm = find_tensor(tensors, "visual.ln_pre.weight") != nullptr;
    c.layer_scale = find_tensor(tensors, "visual.transformer.resblocks.0.ls_1.gamma") != nullptr;
    shape_of(tensors, "visual.proj", 2);  // must exist
    c.num_classes = optional_extent(tensors, "visual.proj", "visual.proj", 1);

    const OpenClipConfig said = checkpoint.open_clip_json && !options.arch
                                    ? read_open_clip_config(*checkpoint.open_clip_json)
                                    : named(settings, checkpoint, c);
    if (!said.timm.name.empty())
        throw Error(ErrorKind::model,
                    fmt::format("open_clip_config.json timm_model_name: expected none for tensors "
                                "of open_clip's own tower, found {}",
                                in_quotes(said.timm.name)));
    check("width", said.width, c.embed_dim);
    check("layers", said.layers, c.depth);
    check("embed_dim", said.embed_dim, c.num_classes);
    if (said.head_width < 1 || c.embed_dim % said.head_width != 0)
        throw Error(ErrorKind::model, fmt::format("head_width: expected a divisor of {}, found {}",
                                                  c.embed_dim, said.head_width));
    c.head_dim = said.head_width;
    c.heads = c.embed_dim / said.head_width;
    c.activation = said.quick_gelu  ? Activation::quick_gelu
                   : said.tanh_gelu ? Activation::gelu_tanh
                                    : Activation::gelu;
    c.norm_eps = said.norm_eps;
    c.pooling = said.pooling;
    c.final_norm = !said.norm_after_pooling;
    c.fc_norm = said.norm_after_pooling;
    if (c.fc_norm) out.droppable = norm_after_pooling;
    if (said.attention_pooler) set_attention_pooler(said, tensors, out);
    out.made.push_back({"head.bias",
                        std::vector<float>(static_cast<std::size_t>(c.num_classes), 0.0f),
                        "zeros: CLIP's projection has none"});

    c.architecture = checkpoint.open_clip_json || settings.name == "open_clip"
                         ? "open_clip's image tower"
                         : "CLIP's image tower";
    c.image_size = table_image_size(shape_of(tensors, "visual.positional_embedding", 2)[0] - 1, c,
                                    options.image_size);
    out.preprocessing = said.preprocessing;
    out.table_size = out.build_size = out.preprocessing.input_size = c.image_size;
    out.keys = said.keys;
    return out;
}

std::span<const MappingRule> clip_rules() {
    return rules;
}

}  // namespace vit::inline internal
