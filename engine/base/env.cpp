#include "engine/base/env.h"

#include <cstdlib>

namespace vit::inline internal {

std::optional<std::string> env(std::string_view name) {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
}

}  // namespace vit::inline internal
