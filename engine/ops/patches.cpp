#include "engine/ops/patches.h"

#include <cstring>

namespace vit::inline internal {

void gather_patches(const float* image, const PatchGeometry& g, std::int64_t first,
                    std::int64_t count, float* out, std::int64_t stride) {
    const std::int64_t per_row = g.width / g.patch_width;
    const std::size_t line = static_cast<std::size_t>(g.patch_width) * sizeof(float);
    for (std::int64_t p = first; p < first + count; ++p, out += stride) {
        const float* corner =
            image + p / per_row * g.patch_height * g.width + p % per_row * g.patch_width;
        float* to = out;
        for (std::int64_t c = 0; c < g.channels; ++c)
            for (std::int64_t y = 0; y < g.patch_height; ++y, to += g.patch_width)
                std::memcpy(to, corner + (c * g.height + y) * g.width, line);
        std::memset(to, 0, static_cast<std::size_t>(stride - g.patch_floats()) * sizeof(float));
    }
}

}  // namespace vit::inline internal
