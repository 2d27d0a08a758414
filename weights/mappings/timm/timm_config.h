// From a timm architecture's name and config.json to explicit numbers, as timm itself resolves
// them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "weights/mappings/common/resolved_model.h"

namespace vit::inline internal {

/// What decides a model besides its tensors. Where several name an architecture they must agree.
struct ConfigSources {
    std::optional<std::string> arch;             ///< asked for by the user: NAME or NAME.TAG
    std::optional<std::string> checkpoint_arch;  ///< said by a training checkpoint
    std::optional<std::string> config_json;      ///< text of config.json
    std::string arch_by = "--arch";              ///< who says `arch`, for messages
};

/// Numbers that tensors tell without doubt. They fill in what nothing else says.
struct TensorFacts {
    std::optional<std::int64_t> num_classes;  ///< rows of the head
    std::optional<std::int64_t> in_chans;     ///< of the patch embedding
    std::int64_t representation_size = 0;     ///< rows of `pre_logits`
};

/// Without config.json the tag's own configuration stands, and `facts` may correct the number of
/// classes and channels. config.image_size is the size that images have by default.
/// Throws Error(usage) on an unknown --arch or sources that disagree, Error(format) on malformed
/// JSON, Error(model) naming a key, or a feature that is not supported yet.
ResolvedModel resolve_timm_config(const ConfigSources& sources, const TensorFacts& facts);

}  // namespace vit::inline internal
