#include "weights/mappings/open_clip/open_clip_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/mappings/common/config_value.h"

namespace vit::inline internal {

namespace {

using Value = const ConfigValue&;

struct Rule {
    std::string_view name;
    void (*set)(OpenClipConfig&, Value);  ///< may throw
    std::string_view dropped;             ///< why, where nothing is set
};

[[noreturn]] void unsupported(Value value, std::string_view feature) {
    throw Error(ErrorKind::model, fmt::format("{}: {} is not supported", value.key(), feature));
}

/// For a switch that must stay off.
void off(OpenClipConfig&, Value value) {
    if (!value.null() && !(value.json().is_boolean() && !value.boolean()))
        unsupported(value, "this kind of image tower");
}

void pool_type(OpenClipConfig& c, Value value) {
    const std::string name = value.text();
    if (name != "tok" && name != "avg") value.refuse("'tok' or 'avg'");
    c.pooling = name == "tok" ? Pooling::token : Pooling::avg;
}

void act_kwargs(OpenClipConfig& c, Value value) {
    if (value.null()) return;
    for (const auto& [key, each] : value.json().items()) {
        if (key != "approximate") unsupported(value, "'" + key + "'");
        const ConfigValue at(value.key() + "." + key, each);
        if (at.text() != "tanh" && at.text() != "none") at.refuse("'tanh' or 'none'");
        c.tanh_gelu = at.text() == "tanh";
    }
}

void norm_kwargs(OpenClipConfig& c, Value value) {
    if (value.null()) return;
    for (const auto& [key, each] : value.json().items()) {
        if (key != "eps") unsupported(value, "'" + key + "'");
        c.norm_eps = ConfigValue(value.key() + "." + key, each).number();
    }
}

std::string text_or_none(Value value) {
    return value.null() ? std::string() : value.text();
}

void attentional_pool(OpenClipConfig& c, Value value) {
    // open_clip calls these two untested; no published model has them.
    if (value.json().is_string()) unsupported(value, in_quotes(value.text()));
    c.attention_pooler = value.boolean();
}

constexpr std::string_view told = "the tensors tell";
constexpr std::string_view text_half = "of the text half";
constexpr std::string_view training = "for training";

constexpr std::array model_rules{
    Rule{"embed_dim", [](OpenClipConfig& c, Value v) { c.embed_dim = v.integer(); }, ""},
    Rule{"quick_gelu", [](OpenClipConfig& c, Value v) { c.quick_gelu = v.boolean(); }, ""},
    Rule{"text_cfg", nullptr, text_half},
    Rule{"multimodal_cfg", nullptr, text_half},
    Rule{"custom_text", nullptr, text_half},
    Rule{"init_logit_scale", nullptr, training},
    Rule{"init_logit_bias", nullptr, training},
    Rule{"nonscalar_logit_scale", nullptr, training},
    Rule{"cast_dtype", nullptr, "how open_clip makes the weights"},
    Rule{"output_dict", nullptr, "what open_clip returns"},
};

constexpr std::array vision_rules{
    Rule{"layers",
         [](OpenClipConfig& c, Value v) {
             if (v.json().is_array()) unsupported(v, "a ResNet");
             c.layers = v.integer();
         },
         ""},
    Rule{"width", [](OpenClipConfig& c, Value v) { c.width = v.integer(); }, ""},
    Rule{"head_width", [](OpenClipConfig& c, Value v) { c.head_width = v.integer(); }, ""},
    Rule{"pool_type", pool_type, ""},
    Rule{"final_ln_after_pool",
         [](OpenClipConfig& c, Value v) { c.norm_after_pooling = v.boolean(); }, ""},
    Rule{"act_kwargs", act_kwargs, ""},
    Rule{"norm_kwargs", norm_kwargs, ""},
    Rule{"mlp_ratio", nullptr, told},
    Rule{"patch_size", nullptr, told},
    Rule{"image_size", [](OpenClipConfig& c, Value v) { c.image_size = v.size(); }, ""},
    Rule{"ls_init_value", nullptr, told},
    Rule{"no_ln_pre", nullptr, told},
    Rule{"pos_embed_type", nullptr, "the position table is stored"},
    Rule{"patch_dropout", nullptr, training},
    Rule{"output_tokens", nullptr, "what open_clip returns"},
    Rule{"attentional_pool", attentional_pool, ""},
    Rule{"attn_pooler_queries", [](OpenClipConfig& c, Value v) { c.pooler_queries = v.integer(); },
         ""},
    Rule{"attn_pooler_heads", [](OpenClipConfig& c, Value v) { c.pooler_heads = v.integer(); }, ""},
    Rule{"block_type",
         [](OpenClipConfig&, Value v) {
             if (!v.null() && v.text() != "default") unsupported(v, "'" + v.text() + "'");
         },
         ""},
    Rule{"qk_norm", off, ""},
    Rule{"scaled_cosine_attn", off, ""},
    Rule{"scale_heads", off, ""},
    Rule{"scale_attn_inner", off, ""},
    Rule{"scale_attn", off, ""},
    Rule{"scale_fc", off, ""},
    Rule{"timm_model_name", [](OpenClipConfig& c, Value v) { c.timm.name = text_or_none(v); }, ""},
    Rule{"timm_pool", [](OpenClipConfig& c, Value v) { c.timm.pool = text_or_none(v); }, ""},
    Rule{"timm_proj", [](OpenClipConfig& c, Value v) { c.timm.proj = text_or_none(v); }, ""},
    Rule{"timm_proj_bias", nullptr, told},
    Rule{"timm_model_pretrained", nullptr, "where timm's first weights came from"},
    Rule{"timm_drop", nullptr, training},
    Rule{"timm_drop_path", nullptr, training},
};

void three(std::array<float, 3>& out, Value value) {
    const std::vector<double> numbers = value.numbers();
    if (numbers.size() != 3) value.refuse("three numbers");
    std::ranges::transform(numbers, out.begin(), [](double x) { return static_cast<float>(x); });
}

void interpolation(OpenClipConfig& c, Value value) {
    const std::string name = value.text();
    if (name != "bicubic" && name != "bilinear") value.refuse("'bicubic' or 'bilinear'");
    c.preprocessing.interpolation =
        name == "bicubic" ? Interpolation::bicubic : Interpolation::bilinear;
}

void resize_mode(OpenClipConfig& c, Value value) {
    const std::string name = value.text();
    if (name == "longest") unsupported(value, "'longest', which pads with a colour,");
    if (name != "shortest" && name != "squash") value.refuse("'shortest' or 'squash'");
    c.preprocessing.crop_mode = name == "squash" ? CropMode::squash : CropMode::center;
}

constexpr std::array preprocess_rules{
    Rule{"mean", [](OpenClipConfig& c, Value v) { three(c.preprocessing.mean, v); }, ""},
    Rule{"std", [](OpenClipConfig& c, Value v) { three(c.preprocessing.std, v); }, ""},
    Rule{"interpolation", interpolation, ""},
    Rule{"resize_mode", resize_mode, ""},
    Rule{"size", nullptr, told},
    Rule{"mode", nullptr, "images are RGB"},
    Rule{"fill_color", nullptr, "for 'longest' only"},
};

void read(OpenClipConfig& out, const nlohmann::json& root, std::span<const std::string_view> path,
          std::span<const Rule> rules, std::string_view nested) {
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
        const auto rule = std::find_if(rules.begin(), rules.end(),
                                       [&, n = key](const Rule& r) { return r.name == n; });
        if (rule == rules.end())
            throw Error(ErrorKind::model, fmt::format("{}: unknown key", value.key()));
        if (rule->set) rule->set(out, value);
        out.keys.push_back({name + key, rule->set != nullptr, std::string(rule->dropped)});
    }
}

/// Says of what one kind of tower reads and the other does not that it is dropped.
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
    read(out, root, std::span(vision).first(1), model_rules, vision[1]);
    read(out, root, vision, vision_rules, "");
    read(out, root, images, preprocess_rules, "");
    settle_keys(out);
    return out;
}

}  // namespace vit::inline internal
