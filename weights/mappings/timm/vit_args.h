// Reads the constructor arguments of timm's VisionTransformer.
#pragma once

#include <optional>
#include <string>

#include "weights/mappings/common/config_value.h"

namespace vit::inline internal {

/// timm's block classes.
enum class BlockClass {
    plain,
    res_post,
    parallel_scaling,
    diff_parallel_scaling,
    parallel_things,
};
/// timm's MLP classes. Both GLUs use the activation of the first half as the gate.
enum class MlpClass { plain, swiglu, packed_glu };

/// The arguments, with timm's defaults. Arguments that this project does not support have no
/// member: reading them is an error.
struct VitArgs {
    std::optional<ImageSize> img_size;
    ImageSize patch_size{16, 16};
    std::optional<std::int64_t> in_chans;
    std::optional<std::int64_t> num_classes;
    Pooling global_pool = Pooling::token;
    std::int64_t embed_dim = 768;
    std::int64_t depth = 12;
    std::int64_t num_heads = 12;
    double mlp_ratio = 4;
    bool qkv_bias = true;
    bool proj_bias = true;
    bool qk_norm = false;
    bool scale_attn_norm = false;
    bool scale_mlp_norm = false;
    std::optional<double> init_values;  ///< of LayerScale
    bool class_token = true;
    bool position_table = true;
    bool no_embed_class = false;
    std::int64_t reg_tokens = 0;
    bool pre_norm = false;
    bool final_norm = true;
    std::optional<bool> fc_norm;
    bool pool_include_prefix = false;
    bool dynamic_img_size = false;
    double drop_rate = 0;
    double pos_drop_rate = 0;
    double patch_drop_rate = 0;
    double proj_drop_rate = 0;
    double attn_drop_rate = 0;
    double drop_path_rate = 0;
    Activation activation = Activation::gelu;
    Norm norm = Norm::layer_norm;
    std::optional<Norm> embed_norm;  ///< of the patches
    BlockClass block = BlockClass::plain;
    MlpClass mlp = MlpClass::plain;
    bool diff_attention = false;
    std::int64_t representation_size = 0;
};

/// Sets the argument `name`. Returns "" where it is used, otherwise why it is dropped. Throws
/// Error(model) for a wrong type, an unknown argument, or a feature that is not supported; the
/// message names it.
std::string set_argument(VitArgs& args, const std::string& name, const ConfigValue& value);

}  // namespace vit::inline internal
