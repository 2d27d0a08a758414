// timm's models that are not plain Vision Transformers, by name. The data are in other_names.inc,
// which tools/fixtures/architectures.py writes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vit::inline internal {

struct OtherName {
    std::string name;
    std::string family;  ///< the file of timm/models that defines it
};

/// All these models, ordered by family.
const std::vector<OtherName>& other_names();

/// The model with this NAME or NAME.TAG; nullptr where there is none.
const OtherName* find_other_name(std::string_view name);

}  // namespace vit::inline internal
