#include "tools/manual/man_page.h"

#include <fmt/format.h>

#include "tools/manual/wrap.h"

namespace vit::tools {

namespace {

/// Escapes what roff would interpret.
std::string roff(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else if (out.empty() && (c == '.' || c == '\''))
            out += fmt::format("\\&{}", c);
        else
            out += c;
    }
    return out;
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

std::string verbatim(std::string_view text) {
    std::string out = ".nf\n";
    for (const std::string_view line : split(text, "\n")) out += roff(line) + '\n';
    return out + ".fi\n";
}

std::string heading(const OptionText& option) {
    std::string text;
    for (const std::string_view name : split(option.names, ","))
        text += fmt::format("{}\\fB{}\\fR", text.empty() ? "" : ", ", roff(name));
    if (!option.value.empty()) text += fmt::format(" \\fI{}\\fR", roff(option.value));
    return text;
}

}  // namespace

std::string man_page(const ToolText& tool, std::string_view version) {
    std::string out =
        fmt::format(".TH {} 1 \"\" \"{}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n",
                    upper(tool.name), roff(version), roff(tool.name), roff(tool.summary));
    out += ".SH SYNOPSIS\n" + verbatim(tool.synopsis) + ".SH DESCRIPTION\n";
    bool first = true;
    for (const std::string_view paragraph : split(tool.description, "\n\n")) {
        if (!first) out += ".PP\n";
        first = false;
        for (const std::string& line : wrap(paragraph, 80)) out += roff(line) + '\n';
    }
    out += ".SH OPTIONS\n";
    for (const Topic& topic : tool.topics) {
        out += fmt::format(".SS {}\n", roff(topic.title));
        for (const OptionText& option : topic.options)
            out += fmt::format(".TP\n{}\n{}\n", heading(option), roff(explanation(option)));
    }
    for (const Section& section : tool.sections)
        out += fmt::format(".SH {}\n{}", upper(roff(section.title)), verbatim(section.text));
    return out;
}

}  // namespace vit::tools
