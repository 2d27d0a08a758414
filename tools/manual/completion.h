// Completion of a tool's command line in shells.
#pragma once

#include <string>

#include "tools/manual/tool_text.h"

namespace vit::tools {

/// A file for bash-completion.
std::string bash_completion(const ToolText& tool);
/// A function file for zsh's $fpath, to be named _TOOL.
std::string zsh_completion(const ToolText& tool);

}  // namespace vit::tools
