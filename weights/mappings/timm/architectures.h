// timm's Vision Transformers by name: constructor arguments and pretrained configurations, as data
// (architectures.inc, which tools/fixtures/architectures.py writes).
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
    /// Where timm gets the tag's weights from: ORG/NAME on the Hugging Face hub, an address
    /// (https://…), or empty where it has none.
    std::string weights;
};

/// `name` is NAME or NAME.TAG. Names that timm has renamed are accepted. Throws Error(usage) for an
/// unknown architecture or tag. The message then lists similar names, or says which model it is
/// where timm has one that is not a plain Vision Transformer.
Architecture find_architecture(std::string_view name);

/// Returns all names in timm's order, each with its default tag.
const std::vector<Architecture>& all_architectures();

/// The same with all tags of each name, the default first.
std::vector<Architecture> all_tags();

}  // namespace vit::inline internal
