// What the terminal behind a file descriptor can show.
#pragma once

#include <optional>

namespace vit::tools {

struct Terminal {
    int columns = 80;
    bool colours = false;  ///< not where NO_COLOR is set (https://no-color.org) or TERM is "dumb"
    bool utf8 = false;     ///< as the locale says
};

/// Nothing where `fd` is no terminal.
std::optional<Terminal> terminal_of(int fd);

}  // namespace vit::tools
