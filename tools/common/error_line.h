// Every tool reports an error in the same way: one line on standard error and one exit status.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "vit/error.h"

namespace vit::tools {

inline constexpr int exit_ok = 0;
inline constexpr int exit_some_inputs_failed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_model_refused = 3;
inline constexpr int exit_io = 74;

/// Replaces control bytes (C0, DEL, C1 as UTF-8) and bytes that are not UTF-8 by \n, \t, \xNN. A
/// name taken from a file then cannot break a line or send commands to a terminal.
std::string escape_control(std::string_view text);

/// Exit status of an error: usage 2; format, model, unsupported 3; io 74; anything else 1.
int exit_status(ErrorKind kind);

/// "TOOL: error: WHAT (WHERE)", escaped, without a newline. WHERE is left out when it is empty or
/// when WHAT already contains it.
std::string error_line(std::string_view tool, std::string_view what, std::string_view where = {});

/// Runs `body` and returns its exit status. An exception becomes an error line on standard error
/// and its exit status. `where` is called only after an exception; it names the current input, or
/// returns an empty string.
int run_tool(std::string_view tool, const std::function<int()>& body,
             const std::function<std::string()>& where = {});

}  // namespace vit::tools
