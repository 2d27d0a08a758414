// timm's models that are no plain Vision Transformers, by name (other_names.inc, made by
// tools/fixtures/architectures.py).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vit::inline internal {

struct OtherName {
    std::string name;
    std::string family;  ///< the file of timm/models that has it
};

/// Ordered by family.
const std::vector<OtherName>& other_names();

/// The one of this NAME or NAME.TAG, or nullptr.
const OtherName* find_other_name(std::string_view name);

}  // namespace vit::inline internal
