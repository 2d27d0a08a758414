// A parser whose options are those of a tool's text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "CLI/CLI.hpp"
#include "tools/manual/tool_text.h"

namespace vit::tools {

/// Parses a command line with CLI11. -h, --help and --version are there already. Where an option is
/// given more than once, the last one counts.
class Parser {
  public:
    /// `version`: the line of --version.
    Parser(const ToolText& tool, const std::string& version);

    /// Adds the option whose long name is `name`, such as "--topk", under all names of the tool's
    /// text. Throws std::logic_error where the text lacks it.
    template <class T>
    CLI::Option* option(std::string_view name, T& value) {
        return app_.add_option(all_names(name), value);
    }
    CLI::Option* flag(std::string_view name, bool& value) {
        return app_.add_flag(all_names(name), value);
    }
    /// An option that may stand without a value, which is then `otherwise`.
    CLI::Option* flag_or_value(std::string_view name, std::string& value,
                               std::string_view otherwise);
    /// Arguments without a name.
    template <class T>
    CLI::Option* argument(const std::string& name, T& value) {
        return app_.add_option(name, value);
    }
    bool has(const std::string& name) const { return app_.count(name) > 0; }

    /// Parses the command line. Returns an exit status where the tool should end now: 0 after
    /// --help or --version (printed on standard output), 2 after a usage error (one line on
    /// standard error). Throws std::logic_error where an option of the text was not added.
    std::optional<int> parse(int argc, const char* const* argv);

  private:
    std::string all_names(std::string_view name) const;
    std::string describe(const CLI::ParseError& error) const;

    const ToolText& tool_;
    CLI::App app_;
};

}  // namespace vit::tools
