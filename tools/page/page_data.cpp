#include "tools/page/page_data.h"

#include <fmt/format.h>

#include "tools/page/templates.h"

namespace vit::tools {

namespace {

std::string text_of(std::span<const unsigned char> file) {
    return {file.begin(), file.end()};
}

}  // namespace

std::pair<std::string, std::string> parts_of(std::span<const unsigned char> page) {
    constexpr std::string_view style = "@STYLE@", data = "@DATA@";
    std::string text = text_of(page);
    text.replace(text.find(style), style.size(), text_of(style_css));
    const std::size_t at = text.find(data);
    return {text.substr(0, at), text.substr(at + data.size())};
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
