// The constructor arguments of timm's VisionTransformer.
#pragma once

#include <optional>
#include <string>

#include "weights/mappings/config_value.h"

namespace vit {

/// With timm's defaults. What this project cannot do yet is no member: reading it is an error.
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
    bool layer_scale = false;
    bool class_token = true;
    bool no_embed_class = false;
    std::int64_t reg_tokens = 0;
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
    std::int64_t representation_size = 0;
};

/// Sets the argument that `name` stands for. Returns what is to be said about it: "" where it is
/// used, else why it is dropped. Throws Error(model): a wrong type, an unknown argument, or a
/// feature that is not supported yet, which it names.
std::string set_argument(VitArgs& args, const std::string& name, const ConfigValue& value);

}  // namespace vit
