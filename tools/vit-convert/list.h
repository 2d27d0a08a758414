// --list: lists timm's Vision Transformers with their size and cost.
#pragma once

#include <string>
#include <string_view>

namespace vit::tools {

/// One line per name with its parameters, image size, work per image and default tag. `pattern`
/// selects the names that contain it, or that match it if it has * or ? or […]; an empty pattern
/// selects all. A pattern with a full stop is compared with NAME.TAG, and each tag gets a line.
/// Throws Error(usage) if nothing matches.
std::string list_of_names(std::string_view pattern);

}  // namespace vit::tools
