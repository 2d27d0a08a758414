// The names of timm's models that are not plain Vision Transformers (other_names.inc, which
// tools/fixtures/architectures.py writes).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vit::inline internal {

struct OtherName {
    std::string name;
    std::string family;  ///< the file of timm/models that defines it
};

/// Ordered by family.
const std::vector<OtherName>& other_names();

/// Returns the model with this NAME or NAME.TAG, or nullptr.
const OtherName* find_other_name(std::string_view name);

}  // namespace vit::inline internal
