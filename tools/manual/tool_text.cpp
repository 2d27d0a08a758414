#include "tools/manual/tool_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/manual/wrap.h"

namespace vit::tools {

std::string explanation(const OptionText& option) {
    std::string text(option.text);
    if (!option.choices.empty()) {
        const std::vector<std::string_view> names = split(option.choices, ",");
        text += ": ";
        for (std::size_t i = 0; i < names.size(); ++i)
            text += fmt::format("{}{}",
                                i == 0                 ? ""
                                : i + 1 < names.size() ? ", "
                                                       : " or ",
                                names[i]);
    }
    return text;
}

std::string_view names_of(const ToolText& tool, std::string_view name) {
    for (const Topic& topic : tool.topics)
        for (const OptionText& option : topic.options) {
            const std::vector<std::string_view> names = split(option.names, ",");
            if (std::ranges::find(names, name) != names.end()) return option.names;
        }
    return {};
}

}  // namespace vit::tools
