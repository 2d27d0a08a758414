#include "tools/common/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <string>

#include "engine/base/env.h"

namespace vit::tools {

namespace {

/// The first of these variables that is set decides, as in setlocale().
bool locale_is_utf8() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const std::string value = env(name).value_or("");
        if (value.empty()) continue;
        for (const char* encoding : {"UTF-8", "utf8", "UTF8", "utf-8"})
            if (value.find(encoding) != std::string::npos) return true;
        return false;
    }
    return false;
}

}  // namespace

std::optional<Terminal> terminal_of(int fd) {
    if (::isatty(fd) != 1) return {};
    Terminal terminal;
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) terminal.columns = size.ws_col;
    terminal.colours =
        env("NO_COLOR").value_or("").empty() && env("TERM").value_or("dumb") != "dumb";
    terminal.utf8 = locale_is_utf8();
    return terminal;
}

}  // namespace vit::tools
