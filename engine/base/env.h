// Reads environment variables. No other file does.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vit::inline internal {

/// The value of the environment variable `name`; nothing where it is not set. The value may be
/// empty. Thread-safe while no thread changes the environment.
std::optional<std::string> env(std::string_view name);

}  // namespace vit::inline internal
