#include "weights/mappings/facebook/facebook_vit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "vit/error.h"
#include "weights/mappings/common/tensor_facts.h"
#include "weights/mappings/timm/arch_settings.h"
#include "weights/mappings/timm/architectures.h"
#include "weights/mappings/timm/other_models.h"

namespace vit::inline internal {

namespace {

using enum TensorTransform;

constexpr std::string_view decoder = "of MAE's decoder: the model is the encoder";
constexpr std::string_view projection = "of the projection head, for training only";

// DINOv2 may save its blocks in chunks, blocks.CHUNK.BLOCK.
constexpr std::array rules{
    MappingRule{"[backbone.]patch_embed.proj.$", "patch_embed.$"},
    MappingRule{"[backbone.]cls_token", "cls_token", squeeze},
    MappingRule{"[backbone.]register_tokens", "reg_token", squeeze},
    MappingRule{"[backbone.]pos_embed", "pos_embed", position_table},
    MappingRule{"[backbone.]mask_token", "", drop, "replaces hidden patches, in training only"},

    MappingRule{"[backbone.]blocks.[@.]#.norm1.$", "blocks.#.norm1.$"},
    MappingRule{"[backbone.]blocks.[@.]#.attn.qkv.$", "blocks.#.attn.{q,k,v}.$", split_rows},
    MappingRule{"[backbone.]blocks.[@.]#.attn.proj.$", "blocks.#.attn.proj.$"},
    MappingRule{"[backbone.]blocks.[@.]#.ls1.gamma", "blocks.#.ls1"},
    MappingRule{"[backbone.]blocks.[@.]#.norm2.$", "blocks.#.norm2.$"},
    MappingRule{"[backbone.]blocks.[@.]#.mlp.fc1.$", "blocks.#.mlp.fc1.$"},
    MappingRule{"[backbone.]blocks.[@.]#.mlp.fc2.$", "blocks.#.mlp.fc2.$"},
    MappingRule{"[backbone.]blocks.[@.]#.mlp.w12.$", "blocks.#.mlp.{gate,fc1}.$", split_rows},
    MappingRule{"[backbone.]blocks.[@.]#.mlp.w3.$", "blocks.#.mlp.fc2.$"},
    MappingRule{"[backbone.]blocks.[@.]#.ls2.gamma", "blocks.#.ls2"},
    MappingRule{"[backbone.]norm.$", "norm.$"},

    MappingRule{"decoder_*", "", drop, decoder},
    MappingRule{"head.mlp*", "", drop, projection},
    MappingRule{"head.last_layer*", "", drop, projection},
    MappingRule{"dino_head.*", "", drop, projection},
    MappingRule{"ibot_head.*", "", drop, projection},
};

/// Published models. Their number of heads is not in the tensors, so it is in this table.
struct Known {
    std::int64_t width, depth, heads;
};
constexpr std::array known_models{Known{192, 12, 3},   Known{384, 12, 6},   Known{768, 12, 12},
                                  Known{1024, 24, 16}, Known{1280, 32, 16}, Known{1536, 40, 24}};

constexpr std::array<std::string_view, 1> keys{"heads"};

/// The number of heads. Sets c.architecture to timm's name where --arch has one. Throws
/// Error(usage) where the number is unknown, or where the tensors have other sizes than timm's
/// architecture.
std::int64_t read_heads(const ConvertOptions& options, ModelConfig& c) {
    const auto known = std::find_if(known_models.begin(), known_models.end(), [&](const Known& k) {
        return k.width == c.embed_dim && k.depth == c.depth;
    });
    if (options.arch && !options.arch->starts_with("facebook.")) {
        refuse_other_library(*options.arch, "Facebook");
        const Architecture arch = find_architecture(*options.arch);
        const std::int64_t width = arch.args.value("embed_dim", std::int64_t{768});
        const std::int64_t depth = arch.args.value("depth", std::int64_t{12});
        if (width != c.embed_dim || depth != c.depth)
            throw Error(ErrorKind::usage,
                        fmt::format("--arch: {} has width {} and {} blocks, but the tensors have "
                                    "width {} and {} blocks",
                                    arch.name, width, depth, c.embed_dim, c.depth));
        c.architecture = arch.name;
        return arch.args.value("num_heads", std::int64_t{12});
    }
    const ArchSettings settings = arch_settings(options.arch, "facebook", keys);
    if (const auto heads = settings.count("heads")) return *heads;
    if (known != known_models.end()) return known->heads;
    throw Error(ErrorKind::usage,
                fmt::format("recognised a {} of width {} and {} blocks; the number of heads is not "
                            "in the tensors: pass --arch facebook.VisionTransformer:heads=N",
                            c.architecture, c.embed_dim, c.depth));
}

}  // namespace

bool has_facebooks_blocks(const Checkpoint& checkpoint) {
    return find_tensor(checkpoint.tensors, "[backbone.]blocks.[@.]#.attn.qkv.weight") != nullptr;
}

bool is_facebook(const Checkpoint& checkpoint) {
    const std::span<const TensorView> tensors = checkpoint.tensors;
    if (checkpoint.config_json || !has_facebooks_blocks(checkpoint) ||
        !other_model(tensors).empty())
        return false;
    static constexpr std::array<std::string_view, 6> marks{
        "[backbone.]mask_token",   "[backbone.]register_tokens", "backbone.patch_embed.proj.weight",
        "blocks.@.#.norm1.weight", "blocks.#.mlp.w12.weight",    "decoder_embed.weight"};
    return std::ranges::any_of(marks,
                               [&](std::string_view mark) { return find_tensor(tensors, mark); });
}

ResolvedModel resolve_facebook(const Checkpoint& checkpoint, const ConvertOptions& options) {
    const std::span<const TensorView> tensors = checkpoint.tensors;
    const auto has = [&](std::string_view name) { return find_tensor(tensors, name) != nullptr; };
    ResolvedModel out;
    ModelConfig& c = out.config;
    const Shape& kernel = shape_of(tensors, "[backbone.]patch_embed.proj.weight", 4);
    c.embed_dim = kernel[0];
    c.in_chans = kernel[1];
    c.patch_height = kernel[2];
    c.patch_width = kernel[3];
    c.depth = count_tensors(tensors, "[backbone.]blocks.[@.]#.norm1.weight");
    c.glu = has("[backbone.]blocks.[@.]0.mlp.w12.weight");
    c.mlp_dim = shape_of(tensors,
                         c.glu ? "[backbone.]blocks.[@.]0.mlp.w12.weight"
                               : "[backbone.]blocks.[@.]0.mlp.fc1.weight",
                         2)[0] /
                (c.glu ? 2 : 1);
    c.activation = c.glu ? Activation::silu : Activation::gelu;
    c.qkv_bias = has("[backbone.]blocks.[@.]0.attn.qkv.bias");
    c.layer_scale = has("[backbone.]blocks.[@.]0.ls1.gamma");
    if (has("[backbone.]register_tokens"))
        c.register_tokens = shape_of(tensors, "[backbone.]register_tokens", 3)[1];
    c.num_classes = 0;

    const bool dinov2 = c.layer_scale || c.register_tokens > 0;
    c.architecture = has("decoder_embed.weight") ? "MAE encoder" : dinov2 ? "DINOv2" : "DINO";
    c.heads = read_heads(options, c);
    if (c.embed_dim % c.heads != 0)
        throw Error(
            ErrorKind::usage,
            fmt::format("--arch: heads: expected a divisor of {}, found {}", c.embed_dim, c.heads));
    c.head_dim = c.embed_dim / c.heads;

    // The table has a row for the class token, but no rows for registers.
    out.table_prefix_rows = 1;
    c.image_size = table_image_size(shape_of(tensors, "[backbone.]pos_embed", 3)[1] - 1, c,
                                    options.image_size);
    out.table_size = out.build_size = out.preprocessing.input_size = c.image_size;
    if (dinov2) out.preprocessing.crop_pct = 1;  // as timm has it for the table's size
    return out;
}

std::span<const MappingRule> facebook_rules() {
    return rules;
}

}  // namespace vit::inline internal
