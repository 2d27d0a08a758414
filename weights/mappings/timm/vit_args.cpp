#include "weights/mappings/timm/vit_args.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <utility>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/mappings/common/config_keys.h"

namespace vit::inline internal {

namespace {

using Value = const ConfigValue&;

using Key = ConfigKey<VitArgs>;

/// For a switch that must stay off.
void off(Value value, std::string_view feature) {
    if (!value.null() && value.boolean()) value.unsupported(feature);
}

/// Lower case without underscores: timm looks up layers by this form.
std::string folded(std::string text) {
    std::erase(text, '_');
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

template <class T>
using Names = std::initializer_list<std::pair<std::string_view, T>>;

/// The meaning of a name in timm's spelling. Throws Error(model) with `what` where `names` lacks
/// it.
template <class T>
T named(Value value, Names<T> names, std::string_view what) {
    const std::string name = folded(value.text());
    for (const auto& [known, meaning] : names)
        if (name == known) return meaning;
    value.unsupported(fmt::format("{} {}", what, in_quotes(value.text())));
}

Pooling pooling(Value value) {
    return named<Pooling>(value,
                          {{"token", Pooling::token},
                           {"avg", Pooling::avg},
                           {"max", Pooling::max},
                           {"avgmax", Pooling::avgmax},
                           {"map", Pooling::map}},
                          "pooling");
}

Activation activation(Value value) {
    if (value.null()) return Activation::gelu;
    return named<Activation>(value,
                             {{"", Activation::gelu},
                              {"gelu", Activation::gelu},
                              {"gelutanh", Activation::gelu_tanh},
                              {"quickgelu", Activation::quick_gelu},
                              {"silu", Activation::silu},
                              {"swish", Activation::silu},
                              {"relu", Activation::relu},
                              {"tanh", Activation::tanh}},
                             "activation");
}

/// The kind of norm; nothing where timm uses its default. The layer's eps comes from
/// Architecture::norm_eps instead.
std::optional<Norm> norm(Value value) {
    if (value.null() || value.text().empty()) return {};
    return named<Norm>(value,
                       {{"layernorm", Norm::layer_norm},
                        {"layernormfp32", Norm::layer_norm},
                        {"rmsnorm", Norm::rms_norm},
                        {"rmsnormfp32", Norm::rms_norm}},
                       "norm layer");
}

BlockClass block(Value value) {
    if (value.null()) return BlockClass::plain;
    return named<BlockClass>(value,
                             {{"block", BlockClass::plain},
                              {"respostblock", BlockClass::res_post},
                              {"parallelscalingblock", BlockClass::parallel_scaling},
                              {"diffparallelscalingblock", BlockClass::diff_parallel_scaling},
                              {"parallelthingsblock", BlockClass::parallel_things}},
                             "block type");
}

MlpClass mlp(Value value) {
    if (value.null()) return MlpClass::plain;
    return named<MlpClass>(value,
                           {{"mlp", MlpClass::plain},
                            {"swiglu", MlpClass::swiglu},
                            {"swiglupacked", MlpClass::packed_glu}},
                           "MLP type");
}

bool diff_attention(Value value) {
    if (value.null()) return false;
    return named<bool>(value,
                       {{"", false},
                        {"attn", false},
                        {"attention", false},
                        {"diff", true},
                        {"diffattention", true}},
                       "attention type");
}

bool position_table(Value value) {
    const std::string kind = value.text();
    if (kind != "learn" && kind != "none" && !kind.empty()) value.refuse("'learn' or 'none'");
    return kind == "learn";
}

constexpr std::array keys{
    Key{"img_size", [](VitArgs& a, Value v) { a.img_size = v.size(); }},
    Key{"patch_size", [](VitArgs& a, Value v) { a.patch_size = v.size(); }},
    Key{"in_chans", [](VitArgs& a, Value v) { a.in_chans = v.integer(); }},
    Key{"num_classes", [](VitArgs& a, Value v) { a.num_classes = v.integer(); }},
    Key{"global_pool", [](VitArgs& a, Value v) { a.global_pool = pooling(v); }},
    Key{"embed_dim", [](VitArgs& a, Value v) { a.embed_dim = v.integer(); }},
    Key{"depth", [](VitArgs& a, Value v) { a.depth = v.integer(); }},
    Key{"num_heads", [](VitArgs& a, Value v) { a.num_heads = v.integer(); }},
    Key{"mlp_ratio", [](VitArgs& a, Value v) { a.mlp_ratio = v.number(); }},
    Key{"qkv_bias", [](VitArgs& a, Value v) { a.qkv_bias = v.boolean(); }},
    Key{"proj_bias", [](VitArgs& a, Value v) { a.proj_bias = v.boolean(); }},
    Key{"qk_norm", [](VitArgs& a, Value v) { a.qk_norm = v.boolean(); }},
    Key{"scale_attn_norm", [](VitArgs& a, Value v) { a.scale_attn_norm = v.boolean(); }},
    Key{"scale_mlp_norm", [](VitArgs& a, Value v) { a.scale_mlp_norm = v.boolean(); }},
    Key{"init_values",
        [](VitArgs& a, Value v) {
            a.init_values = v.null() ? std::nullopt : std::optional(v.number());
        }},
    Key{"class_token", [](VitArgs& a, Value v) { a.class_token = v.boolean(); }},
    Key{"no_embed_class", [](VitArgs& a, Value v) { a.no_embed_class = v.boolean(); }},
    Key{"reg_tokens", [](VitArgs& a, Value v) { a.reg_tokens = v.integer(); }},
    Key{"pos_embed", [](VitArgs& a, Value v) { a.position_table = position_table(v); }},
    Key{"pre_norm", [](VitArgs& a, Value v) { a.pre_norm = v.boolean(); }},
    Key{"final_norm", [](VitArgs& a, Value v) { a.final_norm = v.boolean(); }},
    Key{"fc_norm",
        [](VitArgs& a, Value v) {
            a.fc_norm = v.null() ? std::nullopt : std::optional(v.boolean());
        }},
    Key{"pool_include_prefix", [](VitArgs& a, Value v) { a.pool_include_prefix = v.boolean(); }},
    Key{"dynamic_img_size", [](VitArgs& a, Value v) { a.dynamic_img_size = v.boolean(); }},
    Key{"dynamic_img_pad", [](VitArgs&, Value v) { off(v, "padding images to whole patches"); }},
    Key{"drop_rate", [](VitArgs& a, Value v) { a.drop_rate = v.number(); }},
    Key{"pos_drop_rate", [](VitArgs& a, Value v) { a.pos_drop_rate = v.number(); }},
    Key{"patch_drop_rate", [](VitArgs& a, Value v) { a.patch_drop_rate = v.number(); }},
    Key{"proj_drop_rate", [](VitArgs& a, Value v) { a.proj_drop_rate = v.number(); }},
    Key{"attn_drop_rate", [](VitArgs& a, Value v) { a.attn_drop_rate = v.number(); }},
    Key{"drop_path_rate", [](VitArgs& a, Value v) { a.drop_path_rate = v.number(); }},
    Key{"act_layer", [](VitArgs& a, Value v) { a.activation = activation(v); }},
    Key{"norm_layer", [](VitArgs& a, Value v) { a.norm = norm(v).value_or(Norm::layer_norm); }},
    Key{"embed_norm_layer", [](VitArgs& a, Value v) { a.embed_norm = norm(v); }},
    Key{"block_fn", [](VitArgs& a, Value v) { a.block = block(v); }},
    Key{"mlp_layer", [](VitArgs& a, Value v) { a.mlp = mlp(v); }},
    Key{"attn_layer", [](VitArgs& a, Value v) { a.diff_attention = diff_attention(v); }},
    // Only before timm 0.8: the width of a Linear + tanh between pooling and head.
    Key{"representation_size",
        [](VitArgs& a, Value v) { a.representation_size = v.null() ? 0 : v.integer(); }},

    Key{"use_naflex", [](VitArgs&, Value v) { off(v, "NaFlexViT"); }},
    Key{"features_only", [](VitArgs&, Value v) { off(v, "features_only"); }},
    Key{"embed_layer",
        [](VitArgs&, Value v) {
            if (!v.null()) named<bool>(v, {{"patchembed", true}}, "patch embedding");
        }},

    Key{"weight_init", nullptr, "initial weights are replaced by the checkpoint's"},
    Key{"fix_init", nullptr, "initial weights are replaced by the checkpoint's"},
    Key{"strict_img_size", nullptr, "a graph is built for one image size"},
    Key{"pretrained_strict", nullptr, "every tensor is accounted for here"},
    Key{"out_indices", nullptr, "names features of single blocks, which are not computed"},
    Key{"device", nullptr, "where timm makes the weights"},
    Key{"dtype", nullptr, "how timm makes the weights; a model file holds float32"},
};

}  // namespace

std::string set_argument(VitArgs& args, const std::string& name, const ConfigValue& value) {
    const auto why = set_key<VitArgs>(args, keys, name, value);
    if (!why)
        throw Error(ErrorKind::model, fmt::format("{}: no argument of timm's VisionTransformer",
                                                  in_quotes(value.key())));
    return std::string(*why);
}

}  // namespace vit::inline internal
