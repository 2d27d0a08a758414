// Converts a timm architecture's name and config.json to explicit numbers, as timm itself does.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "weights/mappings/common/resolved_model.h"

namespace vit::inline internal {

/// The sources of a model's configuration. Where several name an architecture, they must agree.
struct ConfigSources {
    std::optional<std::string> arch;             ///< from the user: NAME or NAME.TAG
    std::optional<std::string> checkpoint_arch;  ///< from a training checkpoint
    std::optional<std::string> config_json;      ///< text of config.json
    std::string arch_by = "--arch";              ///< the source of `arch`, for messages
};

/// Numbers that follow directly from the tensors. They complete the other sources.
struct TensorFacts {
    std::optional<std::int64_t> num_classes;  ///< rows of the head
    std::optional<std::int64_t> in_chans;     ///< of the patch embedding
    std::int64_t representation_size = 0;     ///< rows of `pre_logits`
};

/// Without config.json, uses the tag's own configuration, and `facts` replace its number of classes
/// and channels. config.image_size is the default size of images. Throws Error(usage) for an
/// unknown `arch` or one that contradicts another source, and Error(format) for malformed JSON.
/// Throws Error(model) with the key or source where it is wrong or not supported.
ResolvedModel resolve_timm_config(const ConfigSources& sources, const TensorFacts& facts);

}  // namespace vit::inline internal
