#include "tools/manual/completion.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/manual/wrap.h"

namespace vit::tools {

namespace {

std::string with_spaces(std::string_view list) {
    std::string out(list);
    std::ranges::replace(out, ',', ' ');
    return out;
}

std::string function_name(const ToolText& tool) {
    std::string name = fmt::format("_{}", tool.name);
    std::ranges::replace(name, '-', '_');
    return name;
}

/// What bash runs after an option that has a value.
std::string bash_values(const OptionText& option) {
    if (!option.choices.empty())
        return fmt::format("COMPREPLY=($(compgen -W \"{}\" -- \"$word\"))",
                           with_spaces(option.choices));
    if (option.completes == Completes::nothing) return "COMPREPLY=()";
    return fmt::format("COMPREPLY=($(compgen -{} -- \"$word\"))",
                       option.completes == Completes::files ? 'f' : 'd');
}

/// Escapes text inside of '…[…]…' of zsh's _arguments.
std::string zsh_escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\'')
            out.append("'\\''");
        else if (c == '[' || c == ']' || c == ':' || c == '\\')
            out += fmt::format("\\{}", c);
        else
            out += c;
    }
    return out;
}

std::string zsh_values(const OptionText& option) {
    if (option.value.empty()) return "";
    const std::string what = fmt::format(":{}:", zsh_escape(option.value));
    if (!option.choices.empty()) return fmt::format("{}({})", what, with_spaces(option.choices));
    if (option.completes == Completes::nothing) return what;
    return what + (option.completes == Completes::files ? "_files" : "_files -/");
}

}  // namespace

std::string bash_completion(const ToolText& tool) {
    std::string cases, names;
    for (const Topic& topic : tool.topics)
        for (const OptionText& option : topic.options) {
            names += fmt::format("{}{}", names.empty() ? "" : " ", with_spaces(option.names));
            if (option.value.empty() || option.value.front() == '[') continue;
            std::string pattern(option.names);
            for (std::size_t at = 0; (at = pattern.find(',', at)) != std::string::npos;)
                pattern[at] = '|';
            cases += fmt::format("    {}) {}; return ;;\n", pattern, bash_values(option));
        }
    return fmt::format(R"({0}() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
  case $before in
{1}  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "{2}" -- "$word"))
  else
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}}
complete -o filenames -F {0} {3}
)",
                       function_name(tool), cases, names, tool.name);
}

std::string zsh_completion(const ToolText& tool) {
    std::string out = fmt::format("#compdef {}\n\n_arguments -s \\\n", tool.name);
    for (const Topic& topic : tool.topics)
        for (const OptionText& option : topic.options) {
            const std::vector<std::string_view> names = split(option.names, ",");
            const std::string rest =
                fmt::format("[{}]{}", zsh_escape(option.text), zsh_values(option));
            if (names.size() == 1)
                out += fmt::format("  '{}{}' \\\n", names[0], rest);
            else
                out += fmt::format("  '({})'{{{}}}'{}' \\\n", with_spaces(option.names),
                                   option.names, rest);
        }
    return out + "  '*:file:_files'\n";
}

}  // namespace vit::tools
