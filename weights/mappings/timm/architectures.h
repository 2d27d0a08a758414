// timm's Vision Transformers by name: constructor arguments and pretrained configurations. The data
// are in architectures.inc, which tools/fixtures/architectures.py writes.
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
    nlohmann::json pretrained_cfg;  ///< values of the tag that differ from PretrainedCfg's defaults
    /// The place of the tag's weights: ORG/NAME on the Hugging Face hub, an address (https://…), or
    /// empty where timm has none.
    std::string weights;
};

/// Finds NAME or NAME.TAG, also under names that timm has since changed. Throws Error(usage) for an
/// unknown architecture or tag. The message has similar names, or says that the name is a model of
/// timm that is not a plain Vision Transformer.
Architecture find_architecture(std::string_view name);

/// All architectures in timm's order, each with its default tag.
const std::vector<Architecture>& all_architectures();

/// All architectures with each of their tags, the default tag first.
std::vector<Architecture> all_tags();

}  // namespace vit::inline internal
