#include "tools/common/named_values.h"

namespace vit::tools {

std::string list_of(std::span<const std::string> names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i)
        text += (i == 0 ? "" : i + 1 < names.size() ? ", " : " or ") + names[i];
    return text;
}

}  // namespace vit::tools
