// The bytes of the pages' HTML files. "@DATA@" stands where the data goes.
#pragma once

#include <span>

namespace vit::tools {

extern const std::span<const unsigned char> images_html, profile_html;

}  // namespace vit::tools
