// The bytes of the pages' HTML files. "@STYLE@" stands where style.css goes, and "@DATA@" where the
// data goes.
#pragma once

#include <span>

namespace vit::tools {

extern const std::span<const unsigned char> images_html, profile_html, style_css;

}  // namespace vit::tools
