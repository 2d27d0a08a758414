#include "tools/common/image_size_arg.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "tools/common/error_line.h"
#include "vit/error.h"

namespace vit::tools {

namespace {

std::optional<std::int64_t> side(std::string_view text) {
    std::int64_t value = 0;
    const char* end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    if (result.ec != std::errc() || result.ptr != end || value < 1 || value > 65535) return {};
    return value;
}

}  // namespace

HeightWidth parse_image_size(std::string_view option, std::string_view text) {
    const std::size_t cross = text.find('x');
    const auto height = side(text.substr(0, cross));
    const auto width = cross == std::string_view::npos ? height : side(text.substr(cross + 1));
    if (!height || !width)
        throw Error(ErrorKind::usage,
                    fmt::format("{}: expected N or HxW with sides of 1 to 65535 pixels, found '{}'",
                                option, escape_control(text)));
    return {*height, *width};
}

}  // namespace vit::tools
