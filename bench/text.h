// What vit-bench says about itself.
#pragma once

#include "tools/manual/tool_text.h"

namespace vit::bench {

const tools::ToolText& tool_text();

}  // namespace vit::bench
