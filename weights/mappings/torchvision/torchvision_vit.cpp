#include "weights/mappings/torchvision/torchvision_vit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/mappings/common/tensor_facts.h"
#include "weights/mappings/timm/arch_settings.h"

namespace vit::inline internal {

namespace {

using enum TensorTransform;

constexpr std::array rules{
    MappingRule{"conv_proj.$", "patch_embed.$"},
    MappingRule{"class_token", "cls_token", squeeze},
    MappingRule{"encoder.pos_embedding", "pos_embed", position_table},

    MappingRule{"encoder.layers.encoder_layer_#.ln_1.$", "blocks.#.norm1.$"},
    MappingRule{"encoder.layers.encoder_layer_#.self_attention.in_proj_$",
                "blocks.#.attn.{q,k,v}.$", split_rows},
    MappingRule{"encoder.layers.encoder_layer_#.self_attention.out_proj.$", "blocks.#.attn.proj.$"},
    MappingRule{"encoder.layers.encoder_layer_#.ln_2.$", "blocks.#.norm2.$"},
    // torchvision before 0.13 named the two layers linear_1 and linear_2.
    MappingRule{"encoder.layers.encoder_layer_#.mlp.0.$", "blocks.#.mlp.fc1.$"},
    MappingRule{"encoder.layers.encoder_layer_#.mlp.3.$", "blocks.#.mlp.fc2.$"},
    MappingRule{"encoder.layers.encoder_layer_#.mlp.linear_1.$", "blocks.#.mlp.fc1.$", as_is,
                "older name"},
    MappingRule{"encoder.layers.encoder_layer_#.mlp.linear_2.$", "blocks.#.mlp.fc2.$", as_is,
                "older name"},

    MappingRule{"encoder.ln.$", "norm.$"},
    MappingRule{"heads.pre_logits.$", "pre_logits.$"},
    MappingRule{"heads.head.$", "head.$", class_rows},
};

/// The models of torchvision 0.28. Their number of heads is not in the tensors, so it is in this
/// table.
struct Known {
    std::string_view name;
    std::int64_t patch, depth, heads, width, mlp_dim;
};
constexpr std::array known_models{
    Known{"vit_b_16", 16, 12, 12, 768, 3072},  Known{"vit_b_32", 32, 12, 12, 768, 3072},
    Known{"vit_l_16", 16, 24, 16, 1024, 4096}, Known{"vit_l_32", 32, 24, 16, 1024, 4096},
    Known{"vit_h_14", 14, 32, 16, 1280, 5120},
};

/// The preprocessing of torchvision's sets of weights. `crop_pct` gives the size to which
/// torchvision resizes first.
struct Weights {
    std::string_view model, name;
    std::int64_t size;
    double crop_pct;
    Filter interpolation;
};
constexpr std::array known_weights{
    Weights{"vit_b_16", "IMAGENET1K_V1", 224, 0.875, Filter::bilinear},
    Weights{"vit_b_16", "IMAGENET1K_SWAG_E2E_V1", 384, 1, Filter::bicubic},
    Weights{"vit_b_16", "IMAGENET1K_SWAG_LINEAR_V1", 224, 1, Filter::bicubic},
    Weights{"vit_b_32", "IMAGENET1K_V1", 224, 0.875, Filter::bilinear},
    Weights{"vit_l_16", "IMAGENET1K_V1", 224, 0.925, Filter::bilinear},  // resized to 242
    Weights{"vit_l_16", "IMAGENET1K_SWAG_E2E_V1", 512, 1, Filter::bicubic},
    Weights{"vit_l_16", "IMAGENET1K_SWAG_LINEAR_V1", 224, 1, Filter::bicubic},
    Weights{"vit_l_32", "IMAGENET1K_V1", 224, 0.875, Filter::bilinear},
    Weights{"vit_h_14", "IMAGENET1K_SWAG_E2E_V1", 518, 1, Filter::bicubic},
    Weights{"vit_h_14", "IMAGENET1K_SWAG_LINEAR_V1", 224, 1, Filter::bicubic},
};

constexpr std::array<std::string_view, 2> keys{"heads", "weights"};

/// The set `name`, otherwise the first set for images of `size`; nullptr where there is none.
/// Throws Error(usage) where the model has no set `name`.
const Weights* find_weights(std::string_view model, std::optional<std::string> name,
                            ImageSize size) {
    const auto found =
        std::find_if(known_weights.begin(), known_weights.end(), [&](const Weights& w) {
            return w.model == model && (name ? w.name == *name : ImageSize{w.size, w.size} == size);
        });
    if (found != known_weights.end()) return &*found;
    if (!name) return nullptr;
    std::vector<std::string_view> names;
    for (const Weights& w : known_weights)
        if (w.model == model) names.push_back(w.name);
    throw Error(ErrorKind::usage,
                fmt::format("--arch: weights: expected {}, found {}",
                            names.empty() ? "none, as torchvision has no model of these sizes"
                                          : fmt::format("one of {}", fmt::join(names, ", ")),
                            in_quotes(*name)));
}

const Known* known_model(const ArchSettings& settings, const ModelConfig& c) {
    const auto found = std::find_if(known_models.begin(), known_models.end(), [&](const Known& k) {
        return k.patch == c.patch_height && k.patch == c.patch_width && k.depth == c.depth &&
               k.width == c.embed_dim && k.mlp_dim == c.mlp_dim;
    });
    const Known* model = found == known_models.end() ? nullptr : &*found;
    const bool any = settings.name.empty() || settings.name == "VisionTransformer";
    if (any || (model && model->name == settings.name)) return model;
    throw Error(ErrorKind::usage,
                fmt::format("--arch says torchvision's {}, but the tensors are of width {}, {} "
                            "blocks, MLP width {}, {}x{} patches: expected {}",
                            in_quotes(settings.name), c.embed_dim, c.depth, c.mlp_dim,
                            c.patch_height, c.patch_width,
                            model ? fmt::format("torchvision.{}", model->name)
                                  : "torchvision.VisionTransformer:heads=N"));
}

}  // namespace

bool is_torchvision(const Checkpoint& checkpoint) {
    return find_tensor(checkpoint.tensors, "encoder.layers.encoder_layer_#.ln_1.weight") ||
           find_tensor(checkpoint.tensors, "conv_proj.weight");
}

ResolvedModel resolve_torchvision(const Checkpoint& checkpoint, const ConvertOptions& options) {
    const std::span<const TensorView> tensors = checkpoint.tensors;
    const ArchSettings settings = arch_settings(options.arch, "torchvision", keys);
    ResolvedModel out;
    ModelConfig& c = out.config;
    const Shape& kernel = shape_of(tensors, "conv_proj.weight", 4);
    c.embed_dim = kernel[0];
    c.in_chans = kernel[1];
    c.patch_height = kernel[2];
    c.patch_width = kernel[3];
    c.depth = count_tensors(tensors, "encoder.layers.encoder_layer_#.ln_1.weight");
    c.mlp_dim = shape_of(tensors, "encoder.layers.encoder_layer_0.mlp.[0][linear_1].weight", 2)[0];
    c.representation_size =
        optional_extent(tensors, "heads.pre_logits.*", "heads.pre_logits.weight", 0);
    c.num_classes = optional_extent(tensors, "heads.head.*", "heads.head.weight", 0);
    c.image_size = table_image_size(shape_of(tensors, "encoder.pos_embedding", 3)[1] - 1, c,
                                    options.image_size);
    out.table_size = out.build_size = c.image_size;

    const Known* model = known_model(settings, c);
    const std::optional<std::int64_t> heads = settings.count("heads");
    if (!heads && !model)
        throw Error(ErrorKind::usage,
                    fmt::format("recognised torchvision's VisionTransformer of width {}, {} "
                                "blocks, MLP width {}, {}x{} patches; the number of heads is not "
                                "in the tensors: pass --arch torchvision.VisionTransformer:heads=N",
                                c.embed_dim, c.depth, c.mlp_dim, c.patch_height, c.patch_width));
    c.heads = heads ? *heads : model->heads;
    if (c.embed_dim % c.heads != 0)
        throw Error(ErrorKind::usage, fmt::format("--arch: heads: expected a divisor of {}, found "
                                                  "{}",
                                                  c.embed_dim, c.heads));
    c.head_dim = c.embed_dim / c.heads;
    c.architecture = fmt::format("torchvision.{}", model ? model->name : "VisionTransformer");
    out.notes.push_back(fmt::format("architecture {} ({})", c.architecture,
                                    options.arch ? "--arch" : "by the tensors' sizes"));

    Preprocessing& p = out.preprocessing;  // mean and std are the defaults: ImageNet's
    p.input_size = c.image_size;
    p.interpolation = Filter::bilinear;
    if (const Weights* weights =
            find_weights(model ? model->name : "", settings.text("weights"), c.image_size)) {
        p.crop_pct = weights->crop_pct;
        p.interpolation = weights->interpolation;
        out.notes.push_back(
            fmt::format("preprocessing of torchvision's {} {}", weights->model, weights->name));
    }
    return out;
}

std::span<const MappingRule> torchvision_rules() {
    return rules;
}

}  // namespace vit::inline internal
