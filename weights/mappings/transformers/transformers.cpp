#include "weights/mappings/transformers/transformers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "engine/base/text.h"
#include "engine/model/json_text.h"
#include "vit/error.h"
#include "weights/mappings/common/config_value.h"
#include "weights/mappings/common/labels.h"
#include "weights/mappings/transformers/transformers_config.h"
#include "weights/mappings/transformers/transformers_images.h"
#include "weights/mappings/transformers/transformers_rules.h"

namespace vit::inline internal {

namespace {

using nlohmann::json;
using Family = TransformersFamily;

[[noreturn]] void refuse(const std::string& what) {
    throw Error(ErrorKind::model, what);
}

/// What a class computes after the blocks.
enum class Output {
    pooler,            ///< Linear + tanh of the class token, if the checkpoint has them
    class_token,       ///< the class token after the final norm
    classifier,        ///< a head on the class token
    two_classifiers,   ///< the mean of two heads, on the class and the distillation token
    mean_classifier,   ///< a head on the mean of the patches
    both_classifier,   ///< a head on the class token followed by the mean of the patches
    projection,        ///< a head without bias on the class token
    attention_pooling  ///< SigLIP's pooling
};

struct TransformersClass {
    std::string_view name;
    Family family;
    Output output;
    std::span<const MappingRule> (*unread)();  ///< may be null
};

constexpr std::array model_classes{
    TransformersClass{"ViTModel", Family::vit, Output::pooler, nullptr},
    TransformersClass{"ViTForImageClassification", Family::vit, Output::classifier,
                      transformers_unread_pooler},
    TransformersClass{"DeiTModel", Family::deit, Output::pooler, nullptr},
    TransformersClass{"DeiTForImageClassification", Family::deit, Output::classifier,
                      transformers_unread_pooler},
    TransformersClass{"DeiTForImageClassificationWithTeacher", Family::deit,
                      Output::two_classifiers, transformers_unread_pooler},
    TransformersClass{"Dinov2Model", Family::dinov2, Output::class_token, nullptr},
    TransformersClass{"Dinov2ForImageClassification", Family::dinov2, Output::both_classifier,
                      nullptr},
    TransformersClass{"Dinov2WithRegistersForImageClassification", Family::dinov2_with_registers,
                      Output::both_classifier, nullptr},
    TransformersClass{"Dinov2WithRegistersModel", Family::dinov2_with_registers,
                      Output::class_token, nullptr},
    TransformersClass{"CLIPModel", Family::clip, Output::projection, nullptr},
    TransformersClass{"CLIPVisionModel", Family::clip, Output::class_token,
                      transformers_unread_projection},
    TransformersClass{"CLIPVisionModelWithProjection", Family::clip, Output::projection, nullptr},
    TransformersClass{"CLIPForImageClassification", Family::clip, Output::mean_classifier,
                      transformers_unread_post_norm},
    TransformersClass{"SiglipModel", Family::siglip, Output::attention_pooling, nullptr},
    TransformersClass{"SiglipVisionModel", Family::siglip, Output::attention_pooling, nullptr},
    TransformersClass{"SiglipForImageClassification", Family::siglip, Output::mean_classifier,
                      transformers_unread_pooling_head},
};

const TransformersClass& class_of(const TransformersConfig& given, Family family) {
    std::vector<std::string_view> names;
    for (const TransformersClass& each : model_classes) {
        if (each.family == family && each.name == given.model_class) return each;
        if (each.family == family) names.push_back(each.name);
    }
    refuse(fmt::format("config.json architectures: expected {}, found {}, which is not supported",
                       fmt::join(names, " or "), in_quotes(given.model_class)));
}

/// `model_type` of transformers' config.json; "" for any other checkpoint.
std::string model_type(const Checkpoint& checkpoint) {
    if (!checkpoint.config_json) return "";
    const json config = parse_json(*checkpoint.config_json, "config.json");
    // timm's config.json may have the key too.
    if (!config.is_object() || config.contains("architecture") ||
        config.contains("pretrained_cfg") || !config.contains("model_type") ||
        !config["model_type"].is_string())
        return "";
    return config["model_type"].get<std::string>();
}

bool is_any(const Checkpoint& checkpoint, std::initializer_list<Family> families) {
    const std::optional<Family> family = transformers_family(model_type(checkpoint));
    return family && std::ranges::find(families, *family) != families.end();
}

const TensorView* find(const Checkpoint& checkpoint, std::string_view ending) {
    const auto found = std::ranges::find_if(checkpoint.tensors, [&](const TensorView& tensor) {
        return tensor.name.ends_with(ending);
    });
    return found == checkpoint.tensors.end() ? nullptr : &*found;
}

/// Checks that `value` is from `low` to 2^20. Then products of such numbers do not overflow.
std::int64_t count(std::int64_t value, std::int64_t low, std::string_view key) {
    constexpr std::int64_t high = 1 << 20;
    if (value < low || value > high)
        refuse(fmt::format("config.json {}: expected {} to {}, found {}", key, low, high, value));
    return value;
}

std::int64_t swiglu_width(const TransformersConfig& given, std::int64_t width) {
    if (!given.use_swiglu_ffn) return width;
    return (static_cast<std::int64_t>(static_cast<double>(width) * 2 / 3) + 7) / 8 * 8;
}

void set_sizes(const TransformersConfig& given, ModelConfig& config) {
    config.architecture = given.model_class;
    config.image_size = {count(given.image_size.height, 1, "image_size"),
                         count(given.image_size.width, 1, "image_size")};
    config.patch_height = count(given.patch_size.height, 1, "patch_size");
    config.patch_width = count(given.patch_size.width, 1, "patch_size");
    config.in_chans = count(given.num_channels, 1, "num_channels");
    config.embed_dim = count(given.hidden_size, 1, "hidden_size");
    config.depth = count(given.num_hidden_layers, 1, "num_hidden_layers");
    config.heads = count(given.num_attention_heads, 1, "num_attention_heads");
    if (!given.head_dim && config.embed_dim % config.heads != 0)
        refuse(
            fmt::format("config.json num_attention_heads: expected a divisor of hidden_size {}, "
                        "found {}",
                        config.embed_dim, config.heads));
    config.head_dim =
        count(given.head_dim.value_or(config.embed_dim / config.heads), 1, "head_dim");
    config.norm_eps = given.layer_norm_eps;
    config.activation = transformers_activation(given.hidden_act, "hidden_act");
}

void set_family(const TransformersConfig& given, Family family, ResolvedModel& model) {
    ModelConfig& config = model.config;
    if (family == Family::dinov2 || family == Family::dinov2_with_registers) {
        const double width = static_cast<double>(config.embed_dim) * given.mlp_ratio;
        if (!(width >= 1 && width <= 1 << 20))
            refuse(
                fmt::format("config.json mlp_ratio: expected a hidden width of 1 to {}, found "
                            "{} * {}",
                            1 << 20, config.embed_dim, given.mlp_ratio));
        config.mlp_dim = swiglu_width(given, static_cast<std::int64_t>(width));
        config.glu = given.use_swiglu_ffn;
        if (config.glu) config.activation = Activation::silu;
        config.layer_scale = true;
    } else {
        config.mlp_dim = count(given.intermediate_size, 1, "intermediate_size");
    }
    config.qkv_bias = given.qkv_bias;
    config.pre_norm = family == Family::clip;
    config.patch_bias = family != Family::clip;
    config.class_token = family != Family::siglip;
    if (family == Family::deit) config.register_tokens = 1;  // the distillation token
    if (family == Family::dinov2_with_registers) {
        config.register_tokens = count(given.num_register_tokens, 0, "num_register_tokens");
        model.table_prefix_rows = 1;  // registers have no position
    }
}

void set_pooler(const TransformersConfig& given, const Checkpoint& checkpoint,
                ResolvedModel& model) {
    if (!find(checkpoint, "pooler.dense.weight")) {
        model.notes.push_back("no pooler: the features are the class token after the final norm");
        return;
    }
    if (given.pooler_act != "tanh")
        refuse(fmt::format("config.json pooler_act: expected 'tanh', found {}",
                           in_quotes(given.pooler_act)));
    model.config.representation_size =
        count(given.pooler_output_size.value_or(given.hidden_size), 1, "pooler_output_size");
}

void set_classes(const TransformersConfig& given, ResolvedModel& model) {
    std::int64_t classes = given.num_labels.value_or(2);  // transformers' default
    if (given.id2label.is_object()) classes = static_cast<std::int64_t>(given.id2label.size());
    model.config.num_classes = count(classes, 1, "id2label");
    if (!given.id2label.is_null())
        model.labels = labels_from_json(given.id2label, "config.json id2label", classes);
}

void set_output(const TransformersConfig& given, Output output, const Checkpoint& checkpoint,
                ResolvedModel& model) {
    ModelConfig& config = model.config;
    config.num_classes = 0;
    switch (output) {
        case Output::pooler:
            return set_pooler(given, checkpoint, model);
        case Output::class_token:
            return;
        case Output::classifier:
            return set_classes(given, model);
        case Output::two_classifiers:
            config.register_tokens = 0;
            config.distillation_token = true;
            return set_classes(given, model);
        case Output::both_classifier:
            config.mean_head = true;
            return set_classes(given, model);
        case Output::mean_classifier:
            config.pooling = Pooling::avg;
            config.final_norm = !config.class_token;  // CLIP norms only the class token
            return set_classes(given, model);
        case Output::projection:
            config.num_classes = count(given.projection_dim, 1, "projection_dim");
            model.made.push_back(
                {"head.bias",
                 std::vector<float>(static_cast<std::size_t>(config.num_classes), 0.0f),
                 "zeros: the projection has no bias"});
            return;
        case Output::attention_pooling:
            if (!given.vision_use_head)
                refuse(
                    "config.json vision_use_head: expected true, found false: the model has no "
                    "pooled output");
            config.pooling = Pooling::map;
            config.pool_heads = config.heads;
            config.pool_mlp_dim = config.mlp_dim;
            return;
    }
}

/// Sets the size of images, and how to resize the position table to it.
void set_image_size(Family family, const ConvertOptions& options, ResolvedModel& model) {
    ModelConfig& config = model.config;
    model.table_size = model.build_size = config.image_size;
    config.table_interpolation = family == Family::dinov2_with_registers
                                     ? TableInterpolation::bicubic
                                     : TableInterpolation::bicubic_plain;
    const ImageSize images = model.preprocessing.input_size;
    if (options.image_size || images == config.image_size) return;
    if (family != Family::dinov2 && family != Family::dinov2_with_registers)
        refuse(fmt::format(
            "preprocessor_config.json makes images of {}x{}, but config.json "
            "image_size is {}x{}; pass --img-size to decide",
            images.height, images.width, config.image_size.height, config.image_size.width));
    config.image_size = model.build_size = images;
}

}  // namespace

bool is_transformers_vit(const Checkpoint& checkpoint) {
    return is_any(checkpoint, {Family::vit, Family::deit});
}
bool is_transformers_dinov2(const Checkpoint& checkpoint) {
    return is_any(checkpoint, {Family::dinov2, Family::dinov2_with_registers});
}
bool is_transformers_clip(const Checkpoint& checkpoint) {
    return is_any(checkpoint, {Family::clip, Family::siglip});
}
bool is_other_transformers(const Checkpoint& checkpoint) {
    return !model_type(checkpoint).empty();
}

ResolvedModel resolve_transformers(const Checkpoint& checkpoint, const ConvertOptions& options) {
    if (options.arch)
        throw Error(ErrorKind::usage,
                    "--arch: config.json says that this is a model of transformers, and all of its "
                    "numbers; leave --arch out");
    const std::string type = model_type(checkpoint);
    const std::optional<Family> family = transformers_family(type);
    if (type.starts_with("siglip2"))
        refuse(
            fmt::format("config.json model_type: {} takes images of any shape (NaFlex), which is "
                        "not supported; convert a SigLIP 2 checkpoint of one image size, whose "
                        "model_type is siglip",
                        in_quotes(type)));
    if (!family)
        refuse(fmt::format("config.json model_type: expected {}, found {}, which is not supported",
                           fmt::join(transformers_model_types(), ", "), in_quotes(type)));
    ResolvedModel model;
    const TransformersConfig given = read_transformers_config(
        *family, parse_json_object(*checkpoint.config_json, "config.json"), model.keys);
    const TransformersClass& model_class = class_of(given, *family);
    if (!checkpoint.preprocessor_json)
        refuse(
            "preprocessor_config.json is missing beside the weights; get it, or save the image "
            "processor there");
    model.preprocessing = read_image_processor(*checkpoint.preprocessor_json, model.keys);

    set_sizes(given, model.config);
    set_family(given, *family, model);
    set_output(given, model_class.output, checkpoint, model);
    set_image_size(*family, options, model);
    if (model_class.unread) model.droppable = model_class.unread();
    model.notes.push_back(fmt::format("{} of transformers", model_class.name));
    return model;
}

}  // namespace vit::inline internal
