// Reads an image size from text such as "224" or "224x320".
#pragma once

#include <cstdint>
#include <string_view>

namespace vit::tools {

struct HeightWidth {
    std::int64_t height = 0;
    std::int64_t width = 0;
};

/// Accepts N (square) or HxW, each 1 … 65,535. Otherwise throws Error(usage) that names `option`.
HeightWidth parse_image_size(std::string_view option, std::string_view text);

}  // namespace vit::tools
