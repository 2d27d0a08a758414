// timm's Vision Transformers by name: constructor arguments and pretrained configurations, as data
// (architectures.inc, made by tools/fixtures/architectures.py).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/model_config.h"

namespace vit::inline internal {

/// One architecture and one of its pretrained tags.
struct Architecture {
    std::string name;  ///< timm's current name
    std::string tag;
    double norm_eps = 1e-6;
    bool distilled = false;  ///< timm's VisionTransformerDistilled
    TableInterpolation table_interpolation = TableInterpolation::bicubic;
    bool may_drop_attn_pool = false;  ///< timm loads it without its attention pooling
    nlohmann::json args;              ///< constructor arguments that differ from the defaults
    nlohmann::json pretrained_cfg;    ///< what the tag says beyond PretrainedCfg's defaults
    /// Where timm gets the tag's weights from: ORG/NAME on the Hugging Face hub, an address
    /// (https://…), or empty where it has none.
    std::string weights;
};

/// `name` is NAME or NAME.TAG; names that timm has renamed are followed. Throws Error(usage) when
/// there is no such architecture or tag, naming what comes close, or what the name is if it is a
/// model of timm's that is no plain Vision Transformer.
Architecture find_architecture(std::string_view name);

/// All names in timm's order, each with its default tag.
const std::vector<Architecture>& all_architectures();

/// The same with each of their tags, the default first.
std::vector<Architecture> all_tags();

}  // namespace vit::inline internal
