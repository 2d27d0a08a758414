#include "weights/mappings/open_clip/open_clip_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/mappings/common/config_keys.h"

namespace vit::inline internal {

namespace {

using Value = const ConfigValue&;

using Key = ConfigKey<OpenClipConfig>;

/// For a switch that must stay off.
void off(OpenClipConfig&, Value value) {
    if (!value.null() && !(value.json().is_boolean() && !value.boolean()))
        value.unsupported("this kind of image tower");
}

void pool_type(OpenClipConfig& c, Value value) {
    const std::string name = value.text();
    if (name != "tok" && name != "avg") value.refuse("'tok' or 'avg'");
    c.pooling = name == "tok" ? Pooling::token : Pooling::avg;
}

void act_kwargs(OpenClipConfig& c, Value value) {
    if (value.null()) return;
    for (const auto& [key, each] : value.json().items()) {
        if (key != "approximate") value.unsupported("'" + key + "'");
        const ConfigValue at(value.key() + "." + key, each);
        if (at.text() != "tanh" && at.text() != "none") at.refuse("'tanh' or 'none'");
        c.tanh_gelu = at.text() == "tanh";
    }
}

void norm_kwargs(OpenClipConfig& c, Value value) {
    if (value.null()) return;
    for (const auto& [key, each] : value.json().items()) {
        if (key != "eps") value.unsupported("'" + key + "'");
        c.norm_eps = ConfigValue(value.key() + "." + key, each).number();
    }
}

std::string text_or_none(Value value) {
    return value.null() ? std::string() : value.text();
}

void attentional_pool(OpenClipConfig& c, Value value) {
    // open_clip calls the two text values untested, and no published model has them.
    if (value.json().is_string()) value.unsupported(in_quotes(value.text()));
    c.attention_pooler = value.boolean();
}

constexpr std::string_view told = "the tensors tell";
constexpr std::string_view text_half = "of the text half";
constexpr std::string_view training = "for training";

constexpr std::array model_keys{
    Key{"embed_dim", [](OpenClipConfig& c, Value v) { c.embed_dim = v.integer(); }},
    Key{"quick_gelu", [](OpenClipConfig& c, Value v) { c.quick_gelu = v.boolean(); }},
    Key{"text_cfg", nullptr, text_half},
    Key{"multimodal_cfg", nullptr, text_half},
    Key{"custom_text", nullptr, text_half},
    Key{"init_logit_scale", nullptr, training},
    Key{"init_logit_bias", nullptr, training},
    Key{"nonscalar_logit_scale", nullptr, training},
    Key{"cast_dtype", nullptr, "how open_clip makes the weights"},
    Key{"output_dict", nullptr, "what open_clip returns"},
};

constexpr std::array vision_keys{
    Key{"layers",
        [](OpenClipConfig& c, Value v) {
            if (v.json().is_array()) v.unsupported("a ResNet");
            c.layers = v.integer();
        }},
    Key{"width", [](OpenClipConfig& c, Value v) { c.width = v.integer(); }},
    Key{"head_width", [](OpenClipConfig& c, Value v) { c.head_width = v.integer(); }},
    Key{"pool_type", pool_type},
    Key{"final_ln_after_pool",
        [](OpenClipConfig& c, Value v) { c.norm_after_pooling = v.boolean(); }},
    Key{"act_kwargs", act_kwargs},
    Key{"norm_kwargs", norm_kwargs},
    Key{"mlp_ratio", nullptr, told},
    Key{"patch_size", nullptr, told},
    Key{"image_size", [](OpenClipConfig& c, Value v) { c.image_size = v.size(); }},
    Key{"ls_init_value", nullptr, told},
    Key{"no_ln_pre", nullptr, told},
    Key{"pos_embed_type", nullptr, "the position table is stored"},
    Key{"patch_dropout", nullptr, training},
    Key{"output_tokens", nullptr, "what open_clip returns"},
    Key{"attentional_pool", attentional_pool},
    Key{"attn_pooler_queries", [](OpenClipConfig& c, Value v) { c.pooler_queries = v.integer(); }},
    Key{"attn_pooler_heads", [](OpenClipConfig& c, Value v) { c.pooler_heads = v.integer(); }},
    Key{"block_type",
        [](OpenClipConfig&, Value v) {
            if (!v.null() && v.text() != "default") v.unsupported("'" + v.text() + "'");
        }},
    Key{"qk_norm", off},
    Key{"scaled_cosine_attn", off},
    Key{"scale_heads", off},
    Key{"scale_attn_inner", off},
    Key{"scale_attn", off},
    Key{"scale_fc", off},
    Key{"timm_model_name", [](OpenClipConfig& c, Value v) { c.timm.name = text_or_none(v); }},
    Key{"timm_pool", [](OpenClipConfig& c, Value v) { c.timm.pool = text_or_none(v); }},
    Key{"timm_proj", [](OpenClipConfig& c, Value v) { c.timm.proj = text_or_none(v); }},
    Key{"timm_proj_bias", nullptr, told},
    Key{"timm_model_pretrained", nullptr, "where timm's first weights came from"},
    Key{"timm_drop", nullptr, training},
    Key{"timm_drop_path", nullptr, training},
};

void three(std::array<float, 3>& out, Value value) {
    const std::vector<double> numbers = value.numbers();
    if (numbers.size() != 3) value.refuse("three numbers");
    std::ranges::transform(numbers, out.begin(), [](double x) { return static_cast<float>(x); });
}

void interpolation(OpenClipConfig& c, Value value) {
    const std::string name = value.text();
    if (name != "bicubic" && name != "bilinear") value.refuse("'bicubic' or 'bilinear'");
    c.preprocessing.interpolation = name == "bicubic" ? Filter::bicubic : Filter::bilinear;
}

void resize_mode(OpenClipConfig& c, Value value) {
    const std::string name = value.text();
    if (name == "longest") value.unsupported("'longest', which pads with a colour,");
    if (name != "shortest" && name != "squash") value.refuse("'shortest' or 'squash'");
    c.preprocessing.crop_mode = name == "squash" ? Crop::squash : Crop::center;
}

constexpr std::array preprocess_keys{
    Key{"mean", [](OpenClipConfig& c, Value v) { three(c.preprocessing.mean, v); }},
    Key{"std", [](OpenClipConfig& c, Value v) { three(c.preprocessing.std, v); }},
    Key{"interpolation", interpolation},
    Key{"resize_mode", resize_mode},
    Key{"size", nullptr, told},
    Key{"mode", nullptr, "images are RGB"},
    Key{"fill_color", nullptr, "for 'longest' only"},
};

void read(OpenClipConfig& out, const nlohmann::json& root, std::span<const std::string_view> path,
          std::span<const Key> keys, std::string_view nested) {
    const nlohmann::json* object = &root;
    std::string name;
    for (const std::string_view part : path) {
        name += std::string(part) + ".";
        const auto found = object->find(part);
        if (found == object->end()) return;
        object = &*found;
        if (!object->is_object())
            ConfigValue("open_clip_config.json " + name.substr(0, name.size() - 1), *object)
                .refuse("an object");
    }
    for (const auto& [key, json] : object->items()) {
        if (key == nested) continue;
        const ConfigValue value("open_clip_config.json " + name + key, json);
        const auto why = set_key(out, keys, key, value);
        if (!why) throw Error(ErrorKind::model, fmt::format("{}: unknown key", value.key()));
        out.keys.push_back({name + key, why->empty(), std::string(*why)});
    }
}

/// Marks the keys as dropped that this kind of tower does not read.
void settle_keys(OpenClipConfig& config) {
    const std::string vision = "model_cfg.vision_cfg.";
    for (ReportLine& line : config.keys) {
        if (!line.used || !line.name.starts_with(vision)) continue;
        const std::string_view key = std::string_view(line.name).substr(vision.size());
        const bool of_timms = key.starts_with("timm_");
        if (config.timm.name.empty() && !config.attention_pooler && key.starts_with("attn_pooler_"))
            line = {line.name, false, "attentional_pool is off"};
        else if (config.timm.name.empty() && (of_timms || key == "image_size"))
            line = {line.name, false, of_timms ? "timm_model_name is not set" : std::string(told)};
        else if (!config.timm.name.empty() && !of_timms && key != "image_size")
            line = {line.name, false, "timm_model_name decides"};
    }
}

}  // namespace

Preprocessing clip_preprocessing() {
    Preprocessing out;
    out.crop_pct = 1;
    out.mean = {0.48145466f, 0.4578275f, 0.40821073f};
    out.std = {0.26862954f, 0.26130258f, 0.27577711f};
    return out;
}

OpenClipConfig read_open_clip_config(const std::string& text) {
    const nlohmann::json root = parse_json_object(text, "open_clip_config.json");
    OpenClipConfig out;
    out.preprocessing = clip_preprocessing();
    constexpr std::array<std::string_view, 2> vision{"model_cfg", "vision_cfg"};
    constexpr std::array<std::string_view, 1> images{"preprocess_cfg"};
    for (const auto& [key, json] : root.items())
        if (key != vision[0] && key != images[0])
            throw Error(ErrorKind::model,
                        fmt::format("open_clip_config.json {}: unknown key", in_quotes(key)));
    read(out, root, std::span(vision).first(1), model_keys, vision[1]);
    read(out, root, vision, vision_keys, "");
    read(out, root, images, preprocess_keys, "");
    settle_keys(out);
    return out;
}

}  // namespace vit::inline internal
