// "224" or "224x320" as an image size.
#pragma once

#include <cstdint>
#include <string_view>

namespace vit::tools {

struct HeightWidth {
    std::int64_t height = 0;
    std::int64_t width = 0;
};

/// N (square) or HxW, each 1 … 65,535. Throws Error(usage) naming `option` otherwise.
HeightWidth parse_image_size(std::string_view option, std::string_view text);

}  // namespace vit::tools
