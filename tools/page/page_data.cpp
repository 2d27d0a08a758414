#include "tools/page/page_data.h"

#include <fmt/format.h>

namespace vit::tools {

std::pair<std::string_view, std::string_view> parts_of(std::span<const unsigned char> page) {
    constexpr std::string_view mark = "@DATA@";
    const std::string_view text(reinterpret_cast<const char*>(page.data()), page.size());
    const std::size_t at = text.find(mark);
    return {text.substr(0, at), text.substr(at + mark.size())};
}

std::string for_script(const nlohmann::ordered_json& json) {
    std::string text = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    for (std::size_t at = 0; (at = text.find('<', at)) != std::string::npos;)
        text.replace(at, 1, "\\u003c");
    return text;
}

std::string data_element(std::string_view id, const nlohmann::ordered_json& json) {
    return fmt::format("<script type=\"application/json\" id=\"{}\">{}</script>\n", id,
                       for_script(json));
}

}  // namespace vit::tools
