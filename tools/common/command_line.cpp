#include "tools/common/command_line.h"

#include <cstdio>
#include <string>

#include "tools/common/error_line.h"

namespace vit::tools {

std::optional<int> parse_command_line(CLI::App& app, std::string_view tool, int argc,
                                      const char* const* argv) {
    try {
        app.parse(argc, argv);
        return {};
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
            app.exit(error);  // --help, --version
            return exit_ok;
        }
        const std::string line = error_line(tool, error.what(), "--help lists the options");
        std::fprintf(stderr, "%s\n", line.c_str());
        return exit_usage;
    }
}

}  // namespace vit::tools
