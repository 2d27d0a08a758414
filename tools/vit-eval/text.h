// What vit-eval says about itself.
#pragma once

#include "tools/manual/tool_text.h"

namespace vit::eval {

const tools::ToolText& tool_text();

}  // namespace vit::eval
