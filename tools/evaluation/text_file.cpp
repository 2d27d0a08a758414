#include "tools/evaluation/text_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::tools {

std::string read_text_file(const std::filesystem::path& path, std::string_view what) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored))
        throw Error(ErrorKind::io, fmt::format("{}: expected the {}, found a folder",
                                               in_quotes(path.native()), what));
    std::ifstream in(path, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(in), {});
    if (!in)
        throw Error(ErrorKind::io,
                    fmt::format("{}: cannot read the {}: {}", in_quotes(path.native()), what,
                                std::generic_category().message(errno)));
    if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    return text;
}

}  // namespace vit::tools
