// The numbers that define a Vision Transformer. The graph is built from these alone.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "vit/image.h"

namespace vit::inline internal {

enum class Activation { gelu, gelu_tanh, quick_gelu, silu, relu, tanh };
/// The row of the class token; the mean or the maximum over rows, or the mean of both; attention
/// (`attn_pool`).
enum class Pooling { token, avg, max, avgmax, map };
enum class Norm { layer_norm, rms_norm };  ///< rms_norm has no bias
/// How a block combines attention and MLP (timm's Block, ParallelScalingBlock, ParallelThingsBlock,
/// ResPostBlock).
enum class BlockKind { sequential, parallel_scaling, parallel_things, res_post_norm };
/// bicubic: antialiased. bicubic_plain: not antialiased, and sharper (a = -0.75). bilinear_corners:
/// bilinear, but keeps the centres of the corners in place.
enum class TableInterpolation { bicubic, bicubic_plain, bilinear, bilinear_corners };

struct ImageSize {
    std::int64_t height = 224;
    std::int64_t width = 224;
    bool operator==(const ImageSize&) const = default;
};

/// The architecture as explicit numbers (the resolved arguments of timm's VisionTransformer
/// constructor). The tensors have the canonical names of docs/model-file.md.
struct ModelConfig {
    std::string architecture;  ///< for users; the engine does not read it

    ImageSize image_size;  ///< the size that the position table is for
    std::int64_t in_chans = 3;
    std::int64_t patch_height = 16;
    std::int64_t patch_width = 16;

    std::int64_t embed_dim = 768;
    std::int64_t depth = 12;
    std::int64_t heads = 12;
    std::int64_t head_dim = 64;  ///< heads * head_dim may differ from embed_dim
    std::int64_t mlp_dim = 3072;
    BlockKind block = BlockKind::sequential;
    std::int64_t parallel = 1;  ///< parallel_things: number of parallel attentions, and of MLPs

    bool patch_bias = true;
    bool patch_norm = false;     ///< norm of a patch's values before its projection (`patch_norm`)
    bool embed_norm = false;     ///< norm of the patches before positions (`patch_embed.norm`)
    bool position_table = true;  ///< `pos_embed`
    TableInterpolation table_interpolation = TableInterpolation::bicubic;
    bool pre_norm = false;  ///< norm of all tokens before the first block (`norm_pre`)
    bool class_token = true;
    std::int64_t register_tokens = 0;  ///< between the class token (if any) and the patches
    bool distillation_token = false;   ///< DeiT distilled: a second prefix token, `dist_token`
    /// False: the position table also has a row for every prefix token (`no_embed_class=False`).
    /// True: it has rows only for patches, and is added before the prefix tokens are prepended.
    bool no_embed_class = false;

    Norm norm = Norm::layer_norm;
    double norm_eps = 1e-6;
    Activation activation = Activation::gelu;
    bool glu = false;  ///< mlp: fc2(activation(gate x) * fc1 x) (`mlp.gate`)
    bool qkv_bias = true;
    bool proj_bias = true;  ///< of attn.proj
    bool fc1_bias = true;   ///< of mlp.fc1 and mlp.gate
    bool fc2_bias = true;
    bool qk_norm = false;          ///< norm of every head's queries and keys
    bool scale_attn_norm = false;  ///< norm before attn.proj (`attn.norm`)
    bool scale_mlp_norm = false;   ///< norm before mlp.fc2 (`mlp.norm`)
    /// Differential attention (Ye et al., 2024): the difference of two softmaxes per head.
    bool differential_attention = false;
    double sub_norm_eps = 1e-5;  ///< of the norm of every head in differential attention
    bool layer_scale = false;    ///< scales the branches of a block (tensors blocks.N.ls1 / ls2)

    Pooling pooling = Pooling::token;
    bool pool_include_prefix = false;  ///< pooling reads the prefix tokens' rows too
    std::int64_t pool_heads = 0;       ///< map pooling
    std::int64_t pool_mlp_dim = 0;     ///< map pooling; 0: without norm, MLP and residual after it
    std::int64_t pool_width = 0;       ///< map pooling: of queries, values and result; 0: embed_dim
    bool final_norm = true;            ///< norm of all tokens after the last block (`norm`)
    bool fc_norm = false;              ///< norm of the pooled vector (`fc_norm`)
    /// Linear + tanh between pooling and head; 0: none (ImageNet-21k originals).
    std::int64_t representation_size = 0;
    std::int64_t num_classes = 1000;  ///< 0: no head; the logits are the features
    /// The logits are the sum of two heads: one reads the class token, the other the mean of the
    /// patches (`head_mean`).
    bool mean_head = false;

    // Modules for training. They do nothing at inference, but the built graph shows them.
    double pos_drop_rate = 0;
    double patch_drop_rate = 0;
    double proj_drop_rate = 0;
    double attn_drop_rate = 0;
    double drop_rate = 0;       ///< before the head
    double drop_path_rate = 0;  ///< of the last block; grows linearly with depth

    /// Columns of the pooled vector.
    std::int64_t pooled_dim() const { return pool_width > 0 ? pool_width : embed_dim; }
    /// Columns of the input of the head.
    std::int64_t features() const {
        return representation_size > 0 ? representation_size : pooled_dim();
    }
    std::int64_t prefix_tokens() const {
        return (class_token ? 1 : 0) + (distillation_token ? 1 : 0) + register_tokens;
    }
};

/// Throws Error(model) with the name of the first invalid number (zero, negative, too large, a
/// patch larger than the image, …).
void validate(const ModelConfig& config);

/// How half of an odd margin is rounded: to even as in timm and torchvision, or down as in
/// transformers.
enum class CropRounding { even, down };

/// timm's evaluation transform.
struct Preprocessing {
    ImageSize input_size;
    double crop_pct = 0.875;
    Crop crop_mode = Crop::center;
    Filter interpolation = Filter::bicubic;
    std::array<float, 3> mean{0.485f, 0.456f, 0.406f};
    std::array<float, 3> std{0.229f, 0.224f, 0.225f};
    CropRounding crop_rounding = CropRounding::even;
};

/// How a model file can be checked on the machine where it runs.
struct SelfTest {
    std::uint64_t seed =
        /// The input is self_test_input(seed, …), where the tensor `self_test.input` is missing.
        0;
    bool stored_input = false;  ///< tensor `self_test.input` [N, 3, H, W] holds the input
    std::string made_by;  ///< "reference evaluator (float64)", or the source that --expect names
    double tolerance =
        /// Largest relative L2 error of the logits (tensor `self_test.logits` [N, classes]).
        1e-5;
    /// Image size of the seeded input where it is smaller than the model's own; 0x0: the same size.
    ImageSize image_size{0, 0};
};

/// Where a model file came from, for users.
struct Provenance {
    std::string source;              ///< file name (no folders) of the checkpoint
    std::string sha256;              ///< of that file; empty where unknown
    std::string converter;           ///< "vit-convert 0.1.0"
    std::vector<std::string> notes;  ///< what was dropped and why, which weights were used (EMA)
};

}  // namespace vit::inline internal
