#include "tools/vit-search/text_lines.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::search {

std::vector<std::string> read_lines(const std::filesystem::path& path, std::int64_t expected,
                                    const std::filesystem::path& rows_of) {
    std::ifstream file(path, std::ios::binary);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
        if (line.ends_with('\r')) line.pop_back();
        lines.push_back(line);
    }
    if (!file.eof())
        throw Error(ErrorKind::io, fmt::format("{}: cannot read: {}", in_quotes(path.native()),
                                               std::generic_category().message(errno)));
    if (static_cast<std::int64_t>(lines.size()) != expected)
        throw Error(ErrorKind::format,
                    fmt::format("{}: expected a line for each of the {} rows of {}, found {} lines",
                                in_quotes(path.native()), expected, in_quotes(rows_of.native()),
                                lines.size()));
    return lines;
}

}  // namespace vit::search
