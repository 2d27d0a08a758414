#include "weights/mappings/vit_pytorch/vit_pytorch.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/mappings/common/sincos_table.h"
#include "weights/mappings/common/tensor_facts.h"
#include "weights/mappings/timm/arch_settings.h"

namespace vit::inline internal {

namespace {

using enum TensorTransform;

// Before 1.0, the norm of a layer was around the layer (`fn.`) and not inside it, the last norm was
// part of the head ("mlp_head.0"), and patches had no norms.
constexpr std::array rules{
    MappingRule{"to_patch_embedding.1.$", "patch_norm.$", patch_values},
    MappingRule{"to_patch_embedding.2.weight", "patch_embed.weight", patch_rows},
    MappingRule{"to_patch_embedding.2.bias", "patch_embed.bias"},
    MappingRule{"to_patch_embedding.3.$", "patch_embed.norm.$"},
    MappingRule{"cls_token", "cls_token", squeeze},
    MappingRule{"pos_embedding", "pos_embed", position_table},

    MappingRule{"transformer.layers.#.0.norm.$", "blocks.#.norm1.$"},
    MappingRule{"transformer.layers.#.0.[fn.]to_qkv.weight", "blocks.#.attn.{q,k,v}.weight",
                split_rows},
    MappingRule{"transformer.layers.#.0.[fn.]to_out.[0.]$", "blocks.#.attn.proj.$"},
    MappingRule{"transformer.layers.#.1.net.0.$", "blocks.#.norm2.$"},
    MappingRule{"transformer.layers.#.1.net.1.$", "blocks.#.mlp.fc1.$"},
    // The number differs because ViT has a dropout after the activation and SimpleViT has none.
    MappingRule{"transformer.layers.#.1.net.[4][3].$", "blocks.#.mlp.fc2.$"},
    MappingRule{"transformer.layers.#.1.norm.$", "blocks.#.norm2.$"},
    MappingRule{"transformer.layers.#.1.fn.net.0.$", "blocks.#.mlp.fc1.$"},
    MappingRule{"transformer.layers.#.1.fn.net.3.$", "blocks.#.mlp.fc2.$"},

    MappingRule{"transformer.norm.$", "norm.$"},
    MappingRule{"[mlp][linear]_head.0.$", "fc_norm.$"},
    MappingRule{"[mlp][linear]_head.[1.]$", "head.$", class_rows},
};

/// Before 0.41, patches went to the linear layer without a norm.
constexpr std::array no_patch_norm{
    MappingRule{"to_patch_embedding.1.weight", "patch_embed.weight", patch_rows},
    MappingRule{"to_patch_embedding.1.bias", "patch_embed.bias"},
};
constexpr std::array empty_class_token{
    MappingRule{"cls_token", "", drop, "empty: mean pooling has no class token"},
};

constexpr std::array<std::string_view, 5> keys{"heads", "dim_head", "pool", "patch", "channels"};

[[noreturn]] void ask(const ModelConfig& c, std::string_view what) {
    throw Error(ErrorKind::usage,
                fmt::format("recognised a vit-pytorch model of width {}, {} blocks, MLP width {}; "
                            "{}",
                            c.embed_dim, c.depth, c.mlp_dim, what));
}

void read_heads(const ArchSettings& settings, std::int64_t attention, ModelConfig& c) {
    const std::optional<std::int64_t> heads = settings.count("heads");
    const std::optional<std::int64_t> head_dim = settings.count("dim_head");
    if (!heads && !head_dim)
        ask(c, fmt::format("the number of heads is not in the tensors: pass --arch "
                           "vit_pytorch.ViT:heads=N (heads times dim_head is {})",
                           attention));
    c.heads = heads ? *heads : attention / *head_dim;
    c.head_dim = head_dim ? *head_dim : attention / c.heads;
    if (c.heads * c.head_dim != attention)
        throw Error(ErrorKind::usage,
                    fmt::format("--arch: expected heads times dim_head to be {}, found {} times {}",
                                attention, c.heads, c.head_dim));
}

void read_patch(const ArchSettings& settings, std::int64_t values, ModelConfig& c) {
    c.in_chans = settings.count("channels").value_or(3);
    const std::int64_t area = values / c.in_chans;
    const auto side = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(area))));
    const ImageSize patch = settings.size("patch").value_or(ImageSize{side, side});
    if (patch.height * patch.width * c.in_chans != values)
        ask(c, fmt::format("a patch has {} values, which is not {}x{} with {} channels: pass "
                           "--arch vit_pytorch.ViT:patch=HxW,channels=N",
                           values, patch.height, patch.width, c.in_chans));
    c.patch_height = patch.height;
    c.patch_width = patch.width;
}

/// An empty class token means mean pooling. Older releases have a class token for both poolings, so
/// `settings` must decide.
void read_pooling(const ArchSettings& settings, const TensorView& token, ResolvedModel& out) {
    ModelConfig& c = out.config;
    const std::optional<std::string> pool = settings.text("pool");
    if (pool && *pool != "cls" && *pool != "mean")
        throw Error(ErrorKind::usage,
                    fmt::format("--arch: pool: expected cls or mean, found {}", in_quotes(*pool)));
    const bool empty = token.numel() == 0;
    const bool told = empty || token.shape.size() < 3;
    if (told && pool && (*pool == "mean") != empty)
        throw Error(ErrorKind::usage,
                    fmt::format("--arch: pool is {}, but tensor 'cls_token' {} "
                                "is that of pool={}",
                                *pool, to_string(token.shape), empty ? "mean" : "cls"));
    if (!told && !pool)
        ask(c,
            "whether it pools by class token or mean is not in the tensors: add pool=cls or "
            "pool=mean to --arch vit_pytorch.ViT:heads=N");
    const bool mean = told ? empty : *pool == "mean";
    c.class_token = !empty;
    c.pooling = mean ? Pooling::avg : Pooling::token;
    c.pool_include_prefix = mean && !empty;
    if (empty) out.droppable = empty_class_token;
}

}  // namespace

bool is_vit_pytorch(const Checkpoint& checkpoint) {
    return find_tensor(checkpoint.tensors, "to_patch_embedding.[1][2].weight") &&
           find_tensor(checkpoint.tensors, "transformer.layers.#.0.[fn.]to_qkv.weight");
}

ResolvedModel resolve_vit_pytorch(const Checkpoint& checkpoint, const ConvertOptions& options) {
    const std::span<const TensorView> tensors = checkpoint.tensors;
    const ArchSettings settings = arch_settings(options.arch, "vit_pytorch", keys);
    ResolvedModel out;
    ModelConfig& c = out.config;
    const TensorView* norm = find_tensor(tensors, "to_patch_embedding.3.weight");
    c.patch_norm = c.embed_norm = norm != nullptr;
    const Shape& kernel =
        shape_of(tensors, norm ? "to_patch_embedding.2.weight" : "to_patch_embedding.1.weight", 2);
    c.embed_dim = kernel[0];
    c.depth = count_tensors(tensors, "transformer.layers.#.0.norm.weight");
    const bool around = find_tensor(tensors, "transformer.layers.0.1.fn.net.0.weight") != nullptr;
    c.mlp_dim = shape_of(
        tensors,
        around ? "transformer.layers.0.1.fn.net.0.weight" : "transformer.layers.0.1.net.1.weight",
        2)[0];
    c.norm_eps = 1e-5;  // the default of torch's LayerNorm
    c.qkv_bias = false;
    c.proj_bias = find_tensor(tensors, "transformer.layers.0.0.[fn.]to_out.[0.]bias") != nullptr;
    c.final_norm = find_tensor(tensors, "transformer.norm.weight") != nullptr;
    c.fc_norm = find_tensor(tensors, "[mlp][linear]_head.0.weight") != nullptr;
    c.num_classes =
        optional_extent(tensors, "[mlp][linear]_head.*", "[mlp][linear]_head.[1.]weight", 0);
    read_heads(settings, shape_of(tensors, "transformer.layers.0.0.[fn.]to_qkv.weight", 2)[0] / 3,
               c);
    read_patch(settings, kernel[1], c);

    if (const TensorView* table = find_tensor(tensors, "pos_embedding")) {
        const TensorView* token = find_tensor(tensors, "cls_token");
        if (!token || token->shape.empty() || table->shape.size() < 2)
            throw Error(ErrorKind::model,
                        "expected tensors 'cls_token' [1, D] and 'pos_embedding' "
                        "[rows, D] of vit-pytorch's ViT");
        c.architecture = "vit_pytorch.ViT";
        read_pooling(settings, *token, out);
        if (!norm) out.droppable = no_patch_norm;
        c.image_size = table_image_size(table->shape[table->shape.size() - 2] - c.prefix_tokens(),
                                        c, options.image_size);
    } else {
        c.architecture = "vit_pytorch.SimpleViT";
        c.class_token = false;
        c.pooling = Pooling::avg;
        if (!options.image_size)
            ask(c,
                "SimpleViT computes its position table, so that the image size is not in the "
                "tensors: pass --img-size");
        c.image_size = *options.image_size;
        out.made.push_back({"pos_embed",
                            sincos_table({c.image_size.height / c.patch_height,
                                          c.image_size.width / c.patch_width},
                                         c.embed_dim),
                            "computed: sines and cosines, as SimpleViT's"});
    }
    // A single head that is as wide as the model has no projection.
    if (!find_tensor(tensors, "transformer.layers.#.0.[fn.]to_out.*") && c.heads == 1 &&
        c.head_dim == c.embed_dim) {
        std::vector<float> identity(static_cast<std::size_t>(c.embed_dim * c.embed_dim), 0.0f);
        for (std::int64_t i = 0; i < c.embed_dim; ++i)
            identity[static_cast<std::size_t>(i * (c.embed_dim + 1))] = 1;
        for (std::int64_t n = 0; n < c.depth; ++n)
            out.made.push_back({fmt::format("blocks.{}.attn.proj.weight", n), identity,
                                "the identity: one head has no projection"});
    }
    out.table_size = out.build_size = out.preprocessing.input_size = c.image_size;
    out.notes.push_back(fmt::format("patches of {}x{} with {} channels", c.patch_height,
                                    c.patch_width, c.in_chans));
    out.notes.push_back(
        "vit-pytorch stores no preprocessing: ImageNet's mean and std, unless vit-infer is given "
        "others");
    return out;
}

std::span<const MappingRule> vit_pytorch_rules() {
    return rules;
}

}  // namespace vit::inline internal
