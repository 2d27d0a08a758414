#include "tools/manual/help.h"

#include <fmt/format.h>

#include <iterator>

#include "tools/manual/wrap.h"

namespace vit::tools {

namespace {

constexpr std::size_t width = 100, column = 27;

/// "-k, --topk N".
std::string heading(const OptionText& option) {
    std::string text;
    for (const std::string_view name : split(option.names, ","))
        text += fmt::format("{}{}", text.empty() ? "" : ", ", name);
    if (!option.value.empty())
        text += fmt::format("{}{}", option.value.front() == '[' ? "" : " ", option.value);
    return text;
}

}  // namespace

std::string help_text(const ToolText& tool) {
    std::string out = fmt::format("{}\n", tool.synopsis);
    for (const std::string_view paragraph : split(tool.description, "\n\n")) {
        out += '\n';
        for (const std::string& line : wrap(paragraph, width)) out += line + '\n';
    }
    for (const Topic& topic : tool.topics) {
        out += fmt::format("\n{}\n", topic.title);
        for (const OptionText& option : topic.options) {
            std::string head = fmt::format("  {}", heading(option));
            for (const std::string& line : wrap(explanation(option), width - column)) {
                if (head.size() + 1 > column) {
                    out += head + '\n';
                    head.clear();
                }
                out += fmt::format("{:<{}}{}\n", head, column, line);
                head.clear();
            }
        }
    }
    for (const Section& section : tool.sections)
        out += fmt::format("\n{}\n{}\n", section.title, section.text);
    return out;
}

}  // namespace vit::tools
