#include "weights/mappings/transformers/transformers_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/mappings/common/config_keys.h"

namespace vit::inline internal {

namespace {

using nlohmann::json;
using Value = const ConfigValue&;

using Key = ConfigKey<TransformersConfig>;

constexpr std::string_view training = "of training";
constexpr std::string_view text_half = "of the text half";
constexpr std::string_view for_people = "for people only";
constexpr std::string_view stored_type = "a model file says its own type of numbers";
constexpr std::string_view outputs = "which outputs transformers returns";
constexpr std::string_view generation = "of text generation";
constexpr std::string_view backbone = "of the same model as a backbone";

void model_class(TransformersConfig& c, Value v) {
    if (v.null()) return;
    if (!v.json().is_array() || v.json().size() != 1 || !v.json()[0].is_string())
        v.refuse("a list of one class of transformers");
    c.model_class = v.json()[0].get<std::string>();
}

/// The shapes do not show which heads were removed, so such a model would be read wrongly.
void no_pruned_heads(TransformersConfig&, Value v) {
    if (!v.null() && !v.json().empty()) v.refuse("no pruned heads");
}

constexpr std::array model_keys{
    Key{"hidden_size", [](TransformersConfig& c, Value v) { c.hidden_size = v.integer(); }},
    Key{"num_hidden_layers",
        [](TransformersConfig& c, Value v) { c.num_hidden_layers = v.integer(); }},
    Key{"num_attention_heads",
        [](TransformersConfig& c, Value v) { c.num_attention_heads = v.integer(); }},
    Key{"num_channels", [](TransformersConfig& c, Value v) { c.num_channels = v.integer(); }},
    Key{"image_size", [](TransformersConfig& c, Value v) { c.image_size = v.size(); }},
    Key{"patch_size", [](TransformersConfig& c, Value v) { c.patch_size = v.size(); }},
    Key{"hidden_act", [](TransformersConfig& c, Value v) { c.hidden_act = v.text(); }},
    Key{"layer_norm_eps", [](TransformersConfig& c, Value v) { c.layer_norm_eps = v.number(); }},
    Key{"initializer_range", nullptr, training},
    Key{"initializer_factor", nullptr, training},
};

constexpr std::array vit_keys{
    Key{"intermediate_size",
        [](TransformersConfig& c, Value v) { c.intermediate_size = v.integer(); }},
    Key{"head_dim",
        [](TransformersConfig& c, Value v) {
            if (!v.null()) c.head_dim = v.integer();
        }},
    Key{"qkv_bias", [](TransformersConfig& c, Value v) { c.qkv_bias = v.boolean(); }},
    Key{"pooler_output_size",
        [](TransformersConfig& c, Value v) {
            if (!v.null()) c.pooler_output_size = v.integer();
        }},
    Key{"pooler_act", [](TransformersConfig& c, Value v) { c.pooler_act = v.text(); }},
    Key{"hidden_dropout_prob", nullptr, training},
    Key{"attention_probs_dropout_prob", nullptr, training},
    Key{"encoder_stride", nullptr, "of masked image modelling"},
};

constexpr std::array dinov2_keys{
    Key{"mlp_ratio", [](TransformersConfig& c, Value v) { c.mlp_ratio = v.number(); }},
    Key{"qkv_bias", [](TransformersConfig& c, Value v) { c.qkv_bias = v.boolean(); }},
    Key{"use_swiglu_ffn", [](TransformersConfig& c, Value v) { c.use_swiglu_ffn = v.boolean(); }},
    Key{"layerscale_value", nullptr, "the initial value; the tensors have the trained ones"},
    Key{"use_mask_token", nullptr, training},
    Key{"drop_path_rate", nullptr, training},
    Key{"hidden_dropout_prob", nullptr, training},
    Key{"attention_probs_dropout_prob", nullptr, training},
    Key{"out_features", nullptr, backbone},
    Key{"out_indices", nullptr, backbone},
    Key{"stage_names", nullptr, backbone},
    Key{"apply_layernorm", nullptr, backbone},
    Key{"reshape_hidden_states", nullptr, backbone},
};

constexpr std::array register_keys{
    Key{"interpolate_antialias", nullptr, "transformers no longer reads it"},
    Key{"interpolate_offset", nullptr, "transformers no longer reads it"},
    Key{"num_register_tokens",
        [](TransformersConfig& c, Value v) { c.num_register_tokens = v.integer(); }},
};

constexpr std::array clip_keys{
    Key{"intermediate_size",
        [](TransformersConfig& c, Value v) { c.intermediate_size = v.integer(); }},
    Key{"projection_dim", [](TransformersConfig& c, Value v) { c.projection_dim = v.integer(); }},
    Key{"attention_dropout", nullptr, training},
    Key{"dropout", nullptr, training},
};

constexpr std::array siglip_keys{
    Key{"intermediate_size",
        [](TransformersConfig& c, Value v) { c.intermediate_size = v.integer(); }},
    Key{"vision_use_head", [](TransformersConfig& c, Value v) { c.vision_use_head = v.boolean(); }},
    Key{"attention_dropout", nullptr, training},
};

/// Keys beside `vision_config`.
constexpr std::array two_halves_keys{
    Key{"projection_dim",
        [](TransformersConfig& c, Value v) {
            if (!v.null()) c.projection_dim = v.integer();
        }},
    Key{"vision_config", nullptr, "vision_config_dict counts"},
    Key{"vision_config_dict", nullptr, "null: vision_config counts"},
    Key{"text_config", nullptr, text_half},
    Key{"text_config_dict", nullptr, text_half},
    Key{"logit_scale_init_value", nullptr, training},
    Key{"initializer_factor", nullptr, training},
    Key{"initializer_range", nullptr, training},
};

/// Keys that every configuration of transformers may have.
constexpr std::array general_keys{
    Key{"model_type", nullptr},  // read first
    Key{"pruned_heads", no_pruned_heads},
    Key{"architectures", model_class},
    Key{"id2label", [](TransformersConfig& c, Value v) { c.id2label = v.json(); }},
    Key{"num_labels",
        [](TransformersConfig& c, Value v) {
            if (!v.null()) c.num_labels = v.integer();
        }},
    Key{"label2id", nullptr, "labels are id2label"},
    Key{"problem_type", nullptr, training},
    Key{"finetuning_task", nullptr, training},
    Key{"transformers_version", nullptr, for_people},
    Key{"_name_or_path", nullptr, for_people},
    Key{"_commit_hash", nullptr, for_people},
    Key{"name_or_path", nullptr, for_people},
    Key{"task_specific_params", nullptr, for_people},
    Key{"torch_dtype", nullptr, stored_type},
    Key{"dtype", nullptr, stored_type},
    Key{"use_bfloat16", nullptr, stored_type},
    Key{"tf_legacy_loss", nullptr, training},
    Key{"gradient_checkpointing", nullptr, training},
    Key{"_attn_implementation_autoset", nullptr, "which code transformers runs"},
    Key{"torchscript", nullptr, "which code transformers runs"},
    Key{"chunk_size_feed_forward", nullptr, "which code transformers runs"},
    Key{"return_dict", nullptr, outputs},
    Key{"output_attentions", nullptr, outputs},
    Key{"output_hidden_states", nullptr, outputs},
    Key{"return_dict_in_generate", nullptr, generation},
    Key{"output_scores", nullptr, generation},
    Key{"is_decoder", nullptr, generation},
    Key{"is_encoder_decoder", nullptr, generation},
    Key{"add_cross_attention", nullptr, generation},
    Key{"cross_attention_hidden_size", nullptr, generation},
    Key{"tie_encoder_decoder", nullptr, generation},
    Key{"tie_word_embeddings", nullptr, generation},
    Key{"tokenizer_class", nullptr, generation},
    Key{"prefix", nullptr, generation},
    Key{"bos_token_id", nullptr, generation},
    Key{"eos_token_id", nullptr, generation},
    Key{"pad_token_id", nullptr, generation},
    Key{"sep_token_id", nullptr, generation},
    Key{"decoder_start_token_id", nullptr, generation},
    Key{"forced_bos_token_id", nullptr, generation},
    Key{"forced_eos_token_id", nullptr, generation},
    Key{"bad_words_ids", nullptr, generation},
    Key{"begin_suppress_tokens", nullptr, generation},
    Key{"suppress_tokens", nullptr, generation},
    Key{"do_sample", nullptr, generation},
    Key{"early_stopping", nullptr, generation},
    Key{"diversity_penalty", nullptr, generation},
    Key{"repetition_penalty", nullptr, generation},
    Key{"encoder_no_repeat_ngram_size", nullptr, generation},
    Key{"exponential_decay_length_penalty", nullptr, generation},
    Key{"length_penalty", nullptr, generation},
    Key{"max_length", nullptr, generation},
    Key{"min_length", nullptr, generation},
    Key{"no_repeat_ngram_size", nullptr, generation},
    Key{"num_beam_groups", nullptr, generation},
    Key{"num_beams", nullptr, generation},
    Key{"num_return_sequences", nullptr, generation},
    Key{"remove_invalid_values", nullptr, generation},
    Key{"temperature", nullptr, generation},
    Key{"top_k", nullptr, generation},
    Key{"top_p", nullptr, generation},
    Key{"typical_p", nullptr, generation},
};

struct Family {
    TransformersFamily family;
    std::span<const Key> keys, more_keys;
    void (*defaults)(TransformersConfig&);  ///< sets those that differ from the struct's
};

void dinov2_defaults(TransformersConfig& c) {
    c.patch_size = {14, 14};
    c.layer_norm_eps = 1e-6;
}

constexpr std::array families{
    Family{TransformersFamily::vit, vit_keys, {}, [](TransformersConfig&) {}},
    Family{TransformersFamily::deit, vit_keys, {}, [](TransformersConfig&) {}},
    Family{TransformersFamily::dinov2, dinov2_keys, {}, dinov2_defaults},
    Family{TransformersFamily::dinov2_with_registers, dinov2_keys, register_keys,
           [](TransformersConfig& c) { c.layer_norm_eps = 1e-6; }},
    Family{TransformersFamily::clip,
           clip_keys,
           {},
           [](TransformersConfig& c) {
               c.patch_size = {32, 32};
               c.hidden_act = "quick_gelu";
               c.layer_norm_eps = 1e-5;
           }},
    Family{TransformersFamily::siglip,
           siglip_keys,
           {},
           [](TransformersConfig& c) {
               c.hidden_act = "gelu_pytorch_tanh";
               c.layer_norm_eps = 1e-6;
           }},
};

constexpr std::array<std::pair<std::string_view, TransformersFamily>, 8> model_types{
    {{"vit", TransformersFamily::vit},
     {"deit", TransformersFamily::deit},
     {"dinov2", TransformersFamily::dinov2},
     {"dinov2_with_registers", TransformersFamily::dinov2_with_registers},
     {"clip", TransformersFamily::clip},
     {"clip_vision_model", TransformersFamily::clip},
     {"siglip", TransformersFamily::siglip},
     {"siglip_vision_model", TransformersFamily::siglip}}};

/// Sets the members of `config` from the keys of `object`. Adds every key to `report`.
void read_keys(TransformersConfig& config, const json& object, const std::string& prefix,
               std::initializer_list<std::span<const Key>> tables,
               std::vector<ReportLine>& report) {
    for (const auto& [name, value] : object.items()) {
        const ConfigValue at("config.json " + prefix + name, value);
        std::optional<std::string_view> why;
        for (const std::span<const Key> table : tables)
            if (!why) why = set_key(config, table, name, at);
        if (!why)
            throw Error(ErrorKind::model,
                        fmt::format("config.json: unknown key {}", in_quotes(prefix + name)));
        report.push_back({prefix + name, why->empty(), std::string(*why)});
    }
}

}  // namespace

std::optional<TransformersFamily> transformers_family(std::string_view model_type) {
    for (const auto& [name, family] : model_types)
        if (name == model_type) return family;
    return std::nullopt;
}

std::vector<std::string_view> transformers_model_types() {
    std::vector<std::string_view> names;
    for (const auto& [name, family] : model_types) names.push_back(name);
    return names;
}

TransformersConfig read_transformers_config(TransformersFamily family, const json& root,
                                            std::vector<ReportLine>& report) {
    const Family& row =
        *std::ranges::find_if(families, [&](const Family& each) { return each.family == family; });
    TransformersConfig config;
    row.defaults(config);
    const std::initializer_list<std::span<const Key>> tables{model_keys, row.keys, row.more_keys,
                                                             general_keys};
    const auto given = [&](const char* key) { return root.contains(key) && !root[key].is_null(); };
    // As in CLIP's own code, `vision_config_dict` is used where both exist.
    const std::string half = given("vision_config_dict") ? "vision_config_dict" : "vision_config";
    if (!given(half.c_str())) {
        read_keys(config, root, "", tables, report);
    } else {
        const json& vision = root[half];
        if (!vision.is_object()) ConfigValue("config.json " + half, vision).refuse("an object");
        read_keys(config, vision, half + ".", tables, report);
        // The whole model has its own values of these.
        config.model_class.clear();
        config.id2label = nullptr;
        config.num_labels.reset();
        json rest = root;
        rest.erase(half);
        read_keys(config, rest, "", {two_halves_keys, general_keys}, report);
    }
    if (config.model_class.empty())
        throw Error(ErrorKind::model,
                    "config.json: architectures is missing; it names the class of transformers");
    return config;
}

Activation transformers_activation(const std::string& name, std::string_view key) {
    static constexpr std::array<std::pair<std::string_view, Activation>, 9> names{
        {{"gelu", Activation::gelu},
         {"gelu_python", Activation::gelu},
         {"gelu_pytorch_tanh", Activation::gelu_tanh},
         {"gelu_new", Activation::gelu_tanh},
         {"quick_gelu", Activation::quick_gelu},
         {"silu", Activation::silu},
         {"swish", Activation::silu},
         {"relu", Activation::relu},
         {"tanh", Activation::tanh}}};
    for (const auto& [known, activation] : names)
        if (known == name) return activation;
    throw Error(ErrorKind::model, fmt::format("config.json {}: activation {} is not supported", key,
                                              in_quotes(name)));
}

}  // namespace vit::inline internal
