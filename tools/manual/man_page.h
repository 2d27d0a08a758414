// The manual page of a tool.
#pragma once

#include <string>

#include "tools/manual/tool_text.h"

namespace vit::tools {

/// Text for man(1), in the macros of man(7).
std::string man_page(const ToolText& tool, std::string_view version);

}  // namespace vit::tools
