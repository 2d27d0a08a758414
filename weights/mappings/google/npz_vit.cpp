#include "weights/mappings/google/npz_vit.h"
#include "weights/mappings/timm/arch_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "vit/error.h"
#include "weights/mappings/common/sincos_table.h"
#include "weights/mappings/common/tensor_facts.h"
#include "weights/mappings/timm/timm_config.h"

namespace vit::inline internal {

namespace {

using enum TensorTransform;

// The original ViT numbers the layers of a block 0, 1, 2, 3. big_vision's Flax code numbers every
// kind of layer separately. Where big_vision runs the blocks with nn.scan, one array contains a
// tensor of all blocks.
constexpr std::array rules{
    MappingRule{"[opt/target/][params/][img/]embedding/kernel", "patch_embed.weight", patch_hwio},
    MappingRule{"[opt/target/][params/][img/]embedding/bias", "patch_embed.bias"},
    MappingRule{"[opt/target/][params/][img/]cls", "cls_token", squeeze},
    MappingRule{"[opt/target/][params/][img/]Transformer/posembed_input/pos_embedding", "pos_embed",
                position_table},
    MappingRule{"[opt/target/][params/][img/]pos_embedding", "pos_embed", position_table},

    MappingRule{"[opt/target/][params/][img/]Transformer/encoderblock[_#]/LayerNorm_0/scale",
                "blocks.#.norm1.weight"},
    MappingRule{"[opt/target/][params/][img/]Transformer/encoderblock[_#]/LayerNorm_0/bias",
                "blocks.#.norm1.bias"},
    MappingRule{"[opt/target/][params/][img/]Transformer/encoderblock[_#]/"
                "MultiHeadDotProductAttention_[0][1]/query/kernel",
                "blocks.#.attn.q.weight", heads_in},
    MappingRule{"[opt/target/][params/][img/]Transformer/encoderblock[_#]/"
                "MultiHeadDotProductAttention_[0][1]/query/bias",
                "blocks.#.attn.q.bias", heads_bias},
    MappingRule{"[opt/target/][params/][img/]Transformer/encoderblock[_#]/"
                "MultiHeadDotProductAttention_[0][1]/key/kernel",
                "blocks.#.attn.k.weight", heads_in},
    MappingRule{"[opt/target/][params/][img/]Transformer/encoderblock[_#]/"
                "MultiHeadDotProductAttention_[0][1]/key/bias",
                "blocks.#.attn.k.bias", heads_bias},
    MappingRule{"[opt/target/][params/][img/]Transformer/encoderblock[_#]/"
                "MultiHeadDotProductAttention_[0][1]/value/kernel",
                "blocks.#.attn.v.weight", heads_in},
    MappingRule{"[opt/target/][params/][img/]Transformer/encoderblock[_#]/"
                "MultiHeadDotProductAttention_[0][1]/value/bias",
                "blocks.#.attn.v.bias", heads_bias},
    MappingRule{"[opt/target/][params/][img/]Transformer/encoderblock[_#]/"
                "MultiHeadDotProductAttention_[0][1]/out/kernel",
                "blocks.#.attn.proj.weight", heads_out},
    MappingRule{"[opt/target/][params/][img/]Transformer/encoderblock[_#]/"
                "MultiHeadDotProductAttention_[0][1]/out/bias",
                "blocks.#.attn.proj.bias"},
    MappingRule{"[opt/target/][params/][img/]Transformer/encoderblock[_#]/LayerNorm_[1][2]/scale",
                "blocks.#.norm2.weight"},
    MappingRule{"[opt/target/][params/][img/]Transformer/encoderblock[_#]/LayerNorm_[1][2]/bias",
                "blocks.#.norm2.bias"},
    MappingRule{
        "[opt/target/][params/][img/]Transformer/encoderblock[_#]/MlpBlock_[0][3]/Dense_0/kernel",
        "blocks.#.mlp.fc1.weight", transpose},
    MappingRule{
        "[opt/target/][params/][img/]Transformer/encoderblock[_#]/MlpBlock_[0][3]/Dense_0/bias",
        "blocks.#.mlp.fc1.bias"},
    MappingRule{
        "[opt/target/][params/][img/]Transformer/encoderblock[_#]/MlpBlock_[0][3]/Dense_1/kernel",
        "blocks.#.mlp.fc2.weight", transpose},
    MappingRule{
        "[opt/target/][params/][img/]Transformer/encoderblock[_#]/MlpBlock_[0][3]/Dense_1/bias",
        "blocks.#.mlp.fc2.bias"},

    MappingRule{"[opt/target/][params/][img/]Transformer/encoder_norm/scale", "norm.weight"},
    MappingRule{"[opt/target/][params/][img/]Transformer/encoder_norm/bias", "norm.bias"},
    MappingRule{"[opt/target/][params/][img/]MAPHead_0/probe", "attn_pool.latent", squeeze},
    MappingRule{"[opt/target/][params/][img/]MAPHead_0/MultiHeadDotProductAttention_0/query/kernel",
                "attn_pool.q.weight", heads_in},
    MappingRule{"[opt/target/][params/][img/]MAPHead_0/MultiHeadDotProductAttention_0/query/bias",
                "attn_pool.q.bias", heads_bias},
    MappingRule{"[opt/target/][params/][img/]MAPHead_0/MultiHeadDotProductAttention_0/key/kernel",
                "attn_pool.k.weight", heads_in},
    MappingRule{"[opt/target/][params/][img/]MAPHead_0/MultiHeadDotProductAttention_0/key/bias",
                "attn_pool.k.bias", heads_bias},
    MappingRule{"[opt/target/][params/][img/]MAPHead_0/MultiHeadDotProductAttention_0/value/kernel",
                "attn_pool.v.weight", heads_in},
    MappingRule{"[opt/target/][params/][img/]MAPHead_0/MultiHeadDotProductAttention_0/value/bias",
                "attn_pool.v.bias", heads_bias},
    MappingRule{"[opt/target/][params/][img/]MAPHead_0/MultiHeadDotProductAttention_0/out/kernel",
                "attn_pool.proj.weight", heads_out},
    MappingRule{"[opt/target/][params/][img/]MAPHead_0/MultiHeadDotProductAttention_0/out/bias",
                "attn_pool.proj.bias"},
    MappingRule{"[opt/target/][params/][img/]MAPHead_0/LayerNorm_0/scale", "attn_pool.norm.weight"},
    MappingRule{"[opt/target/][params/][img/]MAPHead_0/LayerNorm_0/bias", "attn_pool.norm.bias"},
    MappingRule{"[opt/target/][params/][img/]MAPHead_0/MlpBlock_0/Dense_0/kernel",
                "attn_pool.mlp.fc1.weight", transpose},
    MappingRule{"[opt/target/][params/][img/]MAPHead_0/MlpBlock_0/Dense_0/bias",
                "attn_pool.mlp.fc1.bias"},
    MappingRule{"[opt/target/][params/][img/]MAPHead_0/MlpBlock_0/Dense_1/kernel",
                "attn_pool.mlp.fc2.weight", transpose},
    MappingRule{"[opt/target/][params/][img/]MAPHead_0/MlpBlock_0/Dense_1/bias",
                "attn_pool.mlp.fc2.bias"},

    MappingRule{"[opt/target/][params/][img/]pre_logits/kernel", "pre_logits.weight", transpose},
    MappingRule{"[opt/target/][params/][img/]pre_logits/bias", "pre_logits.bias"},
    MappingRule{"[opt/target/][params/][img/]head/kernel", "head.weight", transpose},
    MappingRule{"[opt/target/][params/][img/]head/bias", "head.bias"},

    MappingRule{"opt/state/*", "", drop, "the optimizer's state"},
    MappingRule{"params/txt/*", "", drop, "the text half of an image and text model"},
    MappingRule{"params/t", "", drop, "the temperature of an image and text model"},
    MappingRule{"params/b", "", drop, "the bias of an image and text model"},
};

const TensorView* find(const Checkpoint& checkpoint, std::string_view name) {
    return find_tensor(checkpoint.tensors, fmt::format("[opt/target/][params/][img/]{}", name));
}

const Shape& shape(const Checkpoint& checkpoint, std::string_view name, std::size_t rank) {
    return shape_of(checkpoint.tensors, fmt::format("[opt/target/][params/][img/]{}", name), rank);
}

/// Sets the numbers that follow from the arrays.
void read_sizes(const Checkpoint& checkpoint, ModelConfig& c) {
    const Shape& kernel = shape(checkpoint, "embedding/kernel", 4);
    c.patch_height = kernel[0];
    c.patch_width = kernel[1];
    c.in_chans = kernel[2];
    c.embed_dim = kernel[3];
    const TensorView* stacked = find(checkpoint, "Transformer/encoderblock/LayerNorm_0/scale");
    const std::string block = stacked ? "Transformer/encoderblock/" : "Transformer/encoderblock_0/";
    const std::size_t more = stacked ? 1 : 0;  // the first extent is the block
    c.depth = stacked ? shape(checkpoint, block + "LayerNorm_0/scale", 2)[0]
                      : count_tensors(checkpoint.tensors,
                                      "[opt/target/][params/][img/]Transformer/"
                                      "encoderblock_#/LayerNorm_0/scale");
    const Shape& query =
        shape(checkpoint, block + "MultiHeadDotProductAttention_[0][1]/query/kernel", 3 + more);
    c.heads = query[1 + more];
    c.head_dim = query[2 + more];
    c.mlp_dim = shape(checkpoint, block + "MlpBlock_[0][3]/Dense_0/kernel", 2 + more)[1 + more];

    c.final_norm = c.qkv_bias = c.proj_bias = true;
    c.fc_norm = c.layer_scale = false;
    c.register_tokens = 0;
    c.class_token = find(checkpoint, "cls") != nullptr;
    c.no_embed_class = c.class_token && find(checkpoint, "pos_embedding") != nullptr;
    c.pooling = c.class_token ? Pooling::token : Pooling::avg;
    if (find(checkpoint, "MAPHead_0/probe")) {
        c.pooling = Pooling::map;
        const std::string map = "MAPHead_0/";
        c.pool_heads = shape(checkpoint, map + "MultiHeadDotProductAttention_0/query/kernel", 3)[1];
        c.pool_mlp_dim = shape(checkpoint, map + "MlpBlock_0/Dense_0/kernel", 2)[1];
    }
    c.representation_size =
        find(checkpoint, "pre_logits/kernel") ? shape(checkpoint, "pre_logits/kernel", 2)[1] : 0;
    c.num_classes = find(checkpoint, "head/kernel") ? shape(checkpoint, "head/kernel", 2)[1] : 0;
}

void read_position_table(const Checkpoint& checkpoint, const ConvertOptions& options,
                         ResolvedModel& out) {
    ModelConfig& c = out.config;
    const std::string_view table = find(checkpoint, "pos_embedding")
                                       ? "pos_embedding"
                                       : "Transformer/posembed_input/pos_embedding";
    const bool original = find(checkpoint, "Transformer/encoderblock_0/LayerNorm_2/scale");
    if (original || find(checkpoint, table)) {
        const std::int64_t rows = shape(checkpoint, table, 3)[1];
        out.table_size = table_image_size(rows - (c.no_embed_class ? 0 : c.prefix_tokens()), c,
                                          options.image_size);
        return;
    }
    if (!options.image_size)
        throw Error(ErrorKind::usage,
                    "the position table is not in the checkpoint but computed (posemb sincos2d), "
                    "and so the image size is not there either: pass --img-size");
    out.table_size = *options.image_size;
    const ImageSize grid{out.table_size.height / std::max<std::int64_t>(c.patch_height, 1),
                         out.table_size.width / std::max<std::int64_t>(c.patch_width, 1)};
    c.no_embed_class = true;
    out.made.push_back({"pos_embed", sincos_table(grid, c.embed_dim),
                        "computed: sines and cosines, as big_vision's posemb sincos2d"});
}

}  // namespace

bool is_npz_vit(const Checkpoint& checkpoint) {
    return find(checkpoint, "embedding/kernel") &&
           (find(checkpoint, "Transformer/encoderblock[_#]/LayerNorm_0/scale"));
}

ResolvedModel resolve_npz_vit(const Checkpoint& checkpoint, const ConvertOptions& options) {
    ResolvedModel out;
    ModelConfig& c = out.config;
    const bool named = options.arch || checkpoint.arch || checkpoint.config_json;
    if (options.arch) refuse_other_library(*options.arch, "Google");
    if (named) {
        out = resolve_timm_config(
            {options.arch, checkpoint.arch, checkpoint.config_json, options.arch_by}, {});
    } else {
        c.architecture = "Google's ViT (.npz)";
        out.preprocessing.crop_pct = 0.9;
        out.preprocessing.mean = out.preprocessing.std = {0.5f, 0.5f, 0.5f};
        out.notes.push_back(
            "no --arch: GELU, eps 1e-6 and preprocessing as timm has them for Google's ViTs");
    }
    read_sizes(checkpoint, c);
    read_position_table(checkpoint, options, out);
    c.table_interpolation = TableInterpolation::bilinear;
    // As in timm, images have the size of a named architecture, and the table is resized to it.
    // Otherwise images have the table's size.
    if (!named) out.build_size = c.image_size = out.preprocessing.input_size = out.table_size;
    return out;
}

std::span<const MappingRule> npz_vit_rules() {
    return rules;
}

}  // namespace vit::inline internal
