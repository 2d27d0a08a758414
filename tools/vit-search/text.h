// What vit-search says about itself.
#pragma once

#include "tools/manual/tool_text.h"

namespace vit::search {

const tools::ToolText& tool_text();

}  // namespace vit::search
