// Reads open_clip_config.json: the image tower and its preprocessing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/model/model_config.h"
#include "weights/mappings/common/report.h"

namespace vit::inline internal {

/// A tower that is a model of timm, with open_clip's defaults.
struct TimmTower {
    std::string name;             ///< of timm's architecture; "": the tower is open_clip's own
    std::string pool = "avg";     ///< timm's name, or "" for the architecture's
    std::string proj = "linear";  ///< "linear", "mlp", "none", or "" for timm's own head
};

/// The values of open_clip_config.json, with open_clip's defaults.
struct OpenClipConfig {
    TimmTower timm;
    std::optional<ImageSize> image_size;  ///< only for towers of timm
    std::int64_t head_width = 64;
    bool quick_gelu = false;
    bool tanh_gelu = false;
    double norm_eps = 1e-5;
    Pooling pooling = Pooling::token;
    bool norm_after_pooling = false;
    bool attention_pooler = false;  ///< CoCa's
    std::int64_t pooler_queries = 256, pooler_heads = 8;
    std::optional<std::int64_t> width, layers, embed_dim;  ///< must match the tensors
    Preprocessing preprocessing;                           ///< without its size
    std::vector<ReportLine> keys;                          ///< used, or why they are dropped
};

/// CLIP's own preprocessing.
Preprocessing clip_preprocessing();

/// Parses `text`. Throws Error(format) for malformed JSON, and Error(model) with the key where it
/// is unknown, has a wrong type, or belongs to a model that is not supported.
OpenClipConfig read_open_clip_config(const std::string& text);

}  // namespace vit::inline internal
