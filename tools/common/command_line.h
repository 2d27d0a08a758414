// How all the tools parse their command line with CLI11.
#pragma once

#include <optional>
#include <string_view>

#include "CLI/CLI.hpp"

namespace vit::tools {

/// Parses the command line. Returns an exit status where the tool should end now: 0 after --help or
/// --version (printed on standard output), 2 after a usage error (one line on standard error).
std::optional<int> parse_command_line(CLI::App& app, std::string_view tool, int argc,
                                      const char* const* argv);

}  // namespace vit::tools
