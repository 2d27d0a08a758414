#include "engine/ops/panel_linear.h"

#include <algorithm>

namespace vit::inline internal {

Columns columns_of_panels(std::int64_t out, std::int64_t width, std::int64_t first,
                          std::int64_t last, std::int64_t all) {
    const std::int64_t cols = row_stride(out), panels = divide_up(out, width);
    return {std::min(panels * first / all * width, cols),
            std::min(panels * last / all * width, cols)};
}

std::uint64_t panel_layout(std::uint64_t form, std::uint64_t type, std::int64_t width,
                           std::int64_t in, std::int64_t out) {
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (const std::uint64_t n : {form, type, static_cast<std::uint64_t>(width),
                                  static_cast<std::uint64_t>(in), static_cast<std::uint64_t>(out)})
        hash = (hash ^ n) * 0x100000001b3;
    return hash;
}

}  // namespace vit::inline internal
