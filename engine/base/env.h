// Environment variables; the only place that reads them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vit::inline internal {

/// The value of the environment variable `name`, or nothing where it is unset. An empty value is a
/// value. Safe from any thread while nobody changes the environment.
std::optional<std::string> env(std::string_view name);

}  // namespace vit::inline internal
