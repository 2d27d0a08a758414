#include "weights/mappings/timm/other_models.h"

#include <algorithm>
#include <array>
#include <string>

namespace vit::inline internal {

namespace {

constexpr std::size_t longest_name = 300;  // names may be 100 MB, and are searched many times

/// Parts of tensors' names that only this kind of model has, at any place in a name.
struct Kind {
    std::string_view what;
    std::string_view part;
    std::string_view other_part{};  ///< of the same tensor or another one
};

// The first kind that fits is used, so more specific kinds come first.
constexpr std::array kinds{
    Kind{"a Swin Transformer V2", "layers.0.blocks.0.", ".cpb_mlp."},
    Kind{"a Swin Transformer V2", "stages.0.blocks.0.attn.meta_mlp."},
    Kind{"a Swin Transformer", "layers.0.blocks.0.", "relative_position_bias_table"},
    Kind{"a Swin Transformer V2", "features.1.0.attn.", ".cpb_mlp."},
    Kind{"a Swin Transformer", "features.1.0.attn.relative_position_bias_table"},
    Kind{"an EVA-02 model", "blocks.0.attn.q_proj.weight", "patch_embed.proj.weight"},
    Kind{"an EVA-02 model", "blocks.0.attn.q_bias", "blocks.0.mlp.fc1_g.weight"},
    Kind{"an EVA-02 model", "blocks.0.attn.q_bias", "blocks.0.mlp.w1.weight"},
    Kind{"a BEiT", "blocks.0.attn.relative_position_bias_table"},
    Kind{"a BEiT", "rel_pos_bias.relative_position_bias_table"},
    Kind{"a BEiT", "relative_position_bias.relative_position_bias_table"},
    Kind{"an EVA or EVA-02 model", "blocks.0.attn.q_bias"},
    Kind{"a DINOv3 model", "rope_embed.periods"},
    Kind{"a SAM image encoder", "blocks.0.attn.rel_pos_h", "neck.0.weight"},
    Kind{"an MViT", "blocks.0.attn.rel_pos_h", "stages.0.blocks.0."},
    Kind{"a CoAtNet or MaxViT", "stages.0.blocks.0.conv.", "attn"},
    Kind{"a Vision Transformer with relative positions", "blocks.0.attn.rel_pos.",
         "patch_embed.proj.weight"},
    Kind{"a hybrid of a convolutional network and a Vision Transformer", "patch_embed.backbone."},
    Kind{"a NaFlexViT", "embeds.proj.weight"},
    Kind{"an MLP-Mixer", "blocks.0.mlp_tokens.fc1.weight"},
    Kind{"a CaiT", "blocks_token_only.0."},
    Kind{"an XCiT", "blocks.0.attn.temperature", "cls_attn_blocks.0."},
    Kind{"a LeViT", "stages.0.blocks.0.attn.attention_biases"},
    Kind{"a Twins or PVT", "patch_embeds.0."},
    Kind{"a ConvNeXt or EdgeNeXt", "stages.0.blocks.0.conv_dw.weight"},
    Kind{"a ConvNeXt", "stages.0.0.dwconv.weight"},
    Kind{"a ResNet", "layer1.0.conv1.weight"},
    Kind{"a RegNet", "s1.b1.conv1."},
    Kind{"a DenseNet", "features.denseblock1."},
    Kind{"an EfficientNet or MobileNet", "conv_stem.weight", "bn1.running_mean"},
};

bool any_has(std::span<const TensorView> tensors, std::string_view part) {
    return std::ranges::any_of(tensors, [&](const TensorView& tensor) {
        return tensor.name.size() <= longest_name && tensor.name.find(part) != std::string::npos;
    });
}

}  // namespace

std::string_view other_model(std::span<const TensorView> tensors) {
    for (const Kind& kind : kinds)
        if (any_has(tensors, kind.part) && any_has(tensors, kind.other_part)) return kind.what;
    // A Vision Transformer may share a checkpoint with a text model, and its head may have a batch
    // norm.
    if (any_has(tensors, "patch_embed")) return "";
    if (any_has(tensors, "embeddings.word_embeddings.weight")) return "a text model";
    if (any_has(tensors, ".running_mean")) return "a convolutional network";
    return "";
}

}  // namespace vit::inline internal
