// The text of --help.
#pragma once

#include <string>

#include "tools/manual/tool_text.h"

namespace vit::tools {

/// Lines of at most 100 characters.
std::string help_text(const ToolText& tool);

}  // namespace vit::tools
