#include "weights/mappings/vit_args.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "vit/error.h"
#include "weights/model_file/text.h"

namespace vit {

namespace {

using Value = const ConfigValue&;

struct Rule {
    std::string_view name;
    void (*set)(VitArgs&, Value);  ///< may throw
    std::string_view dropped;      ///< why, where nothing is set
};

[[noreturn]] void unsupported(Value value, std::string_view feature) {
    throw Error(ErrorKind::model, fmt::format("{}: {} is not supported yet", value.key(), feature));
}

/// For a switch that must stay off.
void off(Value value, std::string_view feature) {
    if (!value.null() && value.boolean()) unsupported(value, feature);
}

/// Lower case without underscores, as timm looks norm layers up.
std::string folded(std::string text) {
    std::erase(text, '_');
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

Pooling pooling(Value value) {
    const std::string name = value.text();
    if (name == "token") return Pooling::token;
    if (name == "avg") return Pooling::avg;
    if (name == "map") unsupported(value, "attention pooling ('map')");
    if (name == "max" || name == "avgmax" || name == "prr" || name.empty())
        unsupported(value, fmt::format("pooling '{}'", name));
    value.refuse("pooling 'token' or 'avg'");
}

Activation activation(Value value) {
    if (value.null()) return Activation::gelu;
    static constexpr std::array<std::pair<std::string_view, Activation>, 7> names{
        {{"gelu", Activation::gelu},
         {"gelutanh", Activation::gelu_tanh},
         {"quickgelu", Activation::quick_gelu},
         {"silu", Activation::silu},
         {"swish", Activation::silu},
         {"relu", Activation::relu},
         {"tanh", Activation::tanh}}};
    const std::string name = folded(value.text());
    for (const auto& [known, function] : names)
        if (name == known) return function;
    unsupported(value, "activation " + in_quotes(value.text()));
}

/// The eps goes with the layer and is told apart (Architecture::norm_eps).
void norm_layer(VitArgs&, Value value) {
    if (value.null()) return;
    const std::string name = folded(value.text());
    if (name == "layernorm" || name == "layernormfp32" || name.empty()) return;
    if (name.find("rmsnorm") == 0) unsupported(value, "RMSNorm");
    unsupported(value, "norm layer " + in_quotes(value.text()));
}

/// For a layer class that must be timm's default one.
void only(Value value, std::string_view plain, std::string_view feature) {
    if (value.null() || folded(value.text()) == plain) return;
    unsupported(value, fmt::format("{} {}", feature, in_quotes(value.text())));
}

constexpr std::array rules{
    Rule{"img_size", [](VitArgs& a, Value v) { a.img_size = v.size(); }, ""},
    Rule{"patch_size", [](VitArgs& a, Value v) { a.patch_size = v.size(); }, ""},
    Rule{"in_chans", [](VitArgs& a, Value v) { a.in_chans = v.integer(); }, ""},
    Rule{"num_classes", [](VitArgs& a, Value v) { a.num_classes = v.integer(); }, ""},
    Rule{"global_pool", [](VitArgs& a, Value v) { a.global_pool = pooling(v); }, ""},
    Rule{"embed_dim", [](VitArgs& a, Value v) { a.embed_dim = v.integer(); }, ""},
    Rule{"depth", [](VitArgs& a, Value v) { a.depth = v.integer(); }, ""},
    Rule{"num_heads", [](VitArgs& a, Value v) { a.num_heads = v.integer(); }, ""},
    Rule{"mlp_ratio", [](VitArgs& a, Value v) { a.mlp_ratio = v.number(); }, ""},
    Rule{"qkv_bias", [](VitArgs& a, Value v) { a.qkv_bias = v.boolean(); }, ""},
    Rule{"proj_bias", [](VitArgs& a, Value v) { a.proj_bias = v.boolean(); }, ""},
    // timm makes no LayerScale where the initial value is None or 0.
    Rule{"init_values", [](VitArgs& a, Value v) { a.layer_scale = !v.null() && v.number() != 0; },
         ""},
    Rule{"class_token", [](VitArgs& a, Value v) { a.class_token = v.boolean(); }, ""},
    Rule{"no_embed_class", [](VitArgs& a, Value v) { a.no_embed_class = v.boolean(); }, ""},
    Rule{"reg_tokens", [](VitArgs& a, Value v) { a.reg_tokens = v.integer(); }, ""},
    Rule{"final_norm", [](VitArgs& a, Value v) { a.final_norm = v.boolean(); }, ""},
    Rule{"fc_norm",
         [](VitArgs& a, Value v) {
             a.fc_norm = v.null() ? std::nullopt : std::optional(v.boolean());
         },
         ""},
    Rule{"pool_include_prefix", [](VitArgs& a, Value v) { a.pool_include_prefix = v.boolean(); },
         ""},
    Rule{"dynamic_img_size", [](VitArgs& a, Value v) { a.dynamic_img_size = v.boolean(); }, ""},
    Rule{"drop_rate", [](VitArgs& a, Value v) { a.drop_rate = v.number(); }, ""},
    Rule{"pos_drop_rate", [](VitArgs& a, Value v) { a.pos_drop_rate = v.number(); }, ""},
    Rule{"patch_drop_rate", [](VitArgs& a, Value v) { a.patch_drop_rate = v.number(); }, ""},
    Rule{"proj_drop_rate", [](VitArgs& a, Value v) { a.proj_drop_rate = v.number(); }, ""},
    Rule{"attn_drop_rate", [](VitArgs& a, Value v) { a.attn_drop_rate = v.number(); }, ""},
    Rule{"drop_path_rate", [](VitArgs& a, Value v) { a.drop_path_rate = v.number(); }, ""},
    Rule{"act_layer", [](VitArgs& a, Value v) { a.activation = activation(v); }, ""},
    Rule{"norm_layer", norm_layer, ""},
    // Before timm 0.8: the width of a Linear + tanh between pooling and head.
    Rule{"representation_size",
         [](VitArgs& a, Value v) { a.representation_size = v.null() ? 0 : v.integer(); }, ""},

    // What the engine does not compute yet.
    Rule{"qk_norm", [](VitArgs&, Value v) { off(v, "qk_norm"); }, ""},
    Rule{"scale_attn_norm", [](VitArgs&, Value v) { off(v, "scale_attn_norm"); }, ""},
    Rule{"scale_mlp_norm", [](VitArgs&, Value v) { off(v, "scale_mlp_norm"); }, ""},
    Rule{"pre_norm", [](VitArgs&, Value v) { off(v, "a norm before the blocks (pre_norm)"); }, ""},
    Rule{"use_naflex", [](VitArgs&, Value v) { off(v, "NaFlexViT"); }, ""},
    Rule{"features_only", [](VitArgs&, Value v) { off(v, "features_only"); }, ""},
    Rule{"embed_norm_layer",
         [](VitArgs&, Value v) { only(v, "", "a norm in the patch embedding,"); }, ""},
    Rule{"embed_layer", [](VitArgs&, Value v) { only(v, "patchembed", "patch embedding"); }, ""},
    Rule{"block_fn", [](VitArgs&, Value v) { only(v, "block", "block type"); }, ""},
    Rule{"mlp_layer", [](VitArgs&, Value v) { only(v, "mlp", "MLP type"); }, ""},
    Rule{"attn_layer",
         [](VitArgs&, Value v) {
             if (!v.null() && v.text() == "diff") unsupported(v, "differential attention");
             if (!v.null() && !v.text().empty()) only(v, "attention", "attention type");
         },
         ""},
    Rule{"pos_embed",
         [](VitArgs&, Value v) {
             if (v.text() == "none" || v.text().empty())
                 unsupported(v, "a model without position table");
             if (v.text() != "learn") v.refuse("'learn'");
         },
         ""},

    Rule{"weight_init", nullptr, "initial weights are replaced by the checkpoint's"},
    Rule{"fix_init", nullptr, "initial weights are replaced by the checkpoint's"},
    Rule{"dynamic_img_pad", nullptr, "images are a multiple of the patch, so nothing is padded"},
    Rule{"strict_img_size", nullptr, "a graph is built for one image size"},
    Rule{"pretrained_strict", nullptr, "every tensor is accounted for here"},
    Rule{"out_indices", nullptr, "names features of single blocks, which are not computed"},
    Rule{"device", nullptr, "where timm makes the weights"},
    Rule{"dtype", nullptr, "how timm makes the weights; a model file holds float32"},
};

}  // namespace

std::string set_argument(VitArgs& args, const std::string& name, const ConfigValue& value) {
    const auto rule =
        std::find_if(rules.begin(), rules.end(), [&](const Rule& r) { return r.name == name; });
    if (rule == rules.end())
        throw Error(ErrorKind::model, fmt::format("{}: no argument of timm's VisionTransformer",
                                                  in_quotes(value.key())));
    if (!rule->set) return std::string(rule->dropped);
    rule->set(args, value);
    return "";
}

}  // namespace vit
