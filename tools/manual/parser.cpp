#include "tools/manual/parser.h"

#include <fmt/format.h>

#include <cstdio>
#include <stdexcept>
#include <vector>

#include "tools/common/did_you_mean.h"
#include "tools/common/error_line.h"
#include "tools/manual/help.h"
#include "tools/manual/wrap.h"

namespace vit::tools {

namespace {

/// CLI11 reads an argument in brackets as a list. "./[…]" names the same file and is not read as a
/// list. Three numbers after --mean and --std, as timm's scripts take them, become one value;
/// otherwise these options would take images that follow them.
std::vector<std::string> arguments_for_cli11(int argc, const char* const* argv) {
    const auto is_number = [](const std::string& text) {
        char* end = nullptr;
        std::strtod(text.c_str(), &end);
        return !text.empty() && *end == '\0';
    };
    std::vector<std::string> arguments(argv, argv + argc);
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        std::string& each = arguments[i];
        if (each.size() > 1 && each.front() == '[' && each.back() == ']') each.insert(0, "./");
        if ((each == "--mean" || each == "--std") && i + 3 < arguments.size() &&
            is_number(arguments[i + 1]) && is_number(arguments[i + 2]) &&
            is_number(arguments[i + 3])) {
            arguments[i + 1] += "," + arguments[i + 2] + "," + arguments[i + 3];
            const auto at = arguments.begin() + static_cast<std::ptrdiff_t>(i);
            arguments.erase(at + 2, at + 4);
        }
    }
    return arguments;
}

}  // namespace

Parser::Parser(const ToolText& tool, const std::string& version) : tool_(tool) {
    app_.formatter_fn(
        [this](const CLI::App*, std::string, CLI::AppFormatMode) { return help_text(tool_); });
    app_.set_version_flag("--version", version);
    app_.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

std::string Parser::all_names(std::string_view name) const {
    const std::string_view names = names_of(tool_, name);
    if (names.empty())
        throw std::logic_error(fmt::format("{}: the help text lacks {}", tool_.name, name));
    return std::string(names);
}

CLI::Option* Parser::flag_or_value(std::string_view name, std::string& value,
                                   std::string_view otherwise) {
    return app_.add_flag(fmt::format("{}{{{}}}", all_names(name), otherwise), value);
}

std::string Parser::describe(const CLI::ParseError& error) const {
    if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr) return error.what();
    const std::vector<std::string> extras = app_.remaining();
    for (const std::string& extra : extras) {
        if (!extra.starts_with('-')) continue;
        std::vector<std::string> names;
        for (const Topic& topic : tool_.topics)
            for (const OptionText& option : topic.options)
                for (const std::string_view each : split(option.names, ","))
                    names.emplace_back(each);
        const std::string given = extra.substr(0, extra.find('='));
        return fmt::format("unknown option {}{}", given, did_you_mean(given, names));
    }
    return fmt::format("unexpected argument {}", extras.empty() ? "" : extras.front());
}

std::optional<int> Parser::parse(int argc, const char* const* argv) {
    for (const Topic& topic : tool_.topics)
        for (const OptionText& option : topic.options)
            if (app_.get_option_no_throw(std::string(split(option.names, ",").back())) == nullptr)
                throw std::logic_error(
                    fmt::format("{}: the parser lacks {}", tool_.name, option.names));
    const std::vector<std::string> arguments = arguments_for_cli11(argc, argv);
    std::vector<const char*> pointers;
    for (const std::string& each : arguments) pointers.push_back(each.c_str());
    try {
        app_.parse(static_cast<int>(pointers.size()), pointers.data());
        return {};
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
            app_.exit(error);  // --help, --version
            return exit_ok;
        }
        std::fprintf(stderr, "%s\n",
                     error_line(tool_.name, describe(error), "--help lists the options").c_str());
        return exit_usage;
    }
}

}  // namespace vit::tools
