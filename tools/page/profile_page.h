// A page that shows a profile: the roofline, and a bar for each node (--profile --report).
#pragma once

#include <string>
#include <string_view>

namespace vit::tools {

/// The HTML file. `profile`: the JSON of --profile.
std::string profile_page(std::string_view title, std::string_view profile);

}  // namespace vit::tools
