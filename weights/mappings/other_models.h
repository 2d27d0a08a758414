// timm's models that are no plain Vision Transformers, by name (other_models.inc, made by
// tools/fixtures/architectures.py).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vit {

struct OtherModel {
    std::string name;
    std::string family;  ///< the file of timm/models that has it
};

/// Ordered by family.
const std::vector<OtherModel>& other_models();

/// The one of this NAME or NAME.TAG, or nullptr.
const OtherModel* find_other_model(std::string_view name);

}  // namespace vit
