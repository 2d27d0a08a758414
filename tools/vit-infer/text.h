// What vit-infer says about itself.
#pragma once

#include "tools/manual/tool_text.h"

namespace vit::infer {

const tools::ToolText& tool_text();

}  // namespace vit::infer
