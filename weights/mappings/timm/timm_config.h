// From a timm architecture's name and config.json to explicit numbers, as timm itself resolves
// them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "weights/mappings/common/resolved_model.h"

namespace vit::inline internal {

/// Everything except the tensors that decides which model it is. Where several of these name an
/// architecture, they must agree.
struct ConfigSources {
    std::optional<std::string> arch;             ///< from the user: NAME or NAME.TAG
    std::optional<std::string> checkpoint_arch;  ///< from a training checkpoint
    std::optional<std::string> config_json;      ///< text of config.json
    std::string arch_by = "--arch";              ///< the source of `arch`, for messages
};

/// Numbers that follow from the shapes of tensors. They are used where no other source has them.
struct TensorFacts {
    std::optional<std::int64_t> num_classes;  ///< rows of the head
    std::optional<std::int64_t> in_chans;     ///< of the patch embedding
    std::int64_t representation_size = 0;     ///< rows of `pre_logits`
};

/// Without config.json, the tag's configuration is used, and `facts` may correct the number of
/// classes and channels. config.image_size is the default size of images. Throws Error(usage) for
/// an unknown --arch or contradicting sources, Error(format) for malformed JSON, and Error(model)
/// with the name of a key, or of a feature that is not supported.
ResolvedModel resolve_timm_config(const ConfigSources& sources, const TensorFacts& facts);

}  // namespace vit::inline internal
