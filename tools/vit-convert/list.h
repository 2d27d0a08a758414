// --list: timm's Vision Transformers, and what they cost.
#pragma once

#include <string>
#include <string_view>

namespace vit::tools {

/// A line a name with its parameters, image size, work of an image and default tag. `pattern`:
/// names that have it in them, or that it fits where it has * or ? or […]; empty: all. One with a
/// full stop is for NAME.TAG, and each tag gets a line. Throws Error(usage) where nothing fits.
std::string list_of_names(std::string_view pattern);

}  // namespace vit::tools
