// What vit-convert says about itself.
#pragma once

#include "tools/manual/tool_text.h"

namespace vit::tools {

const ToolText& convert_text();

}  // namespace vit::tools
