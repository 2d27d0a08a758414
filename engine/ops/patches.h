#pragma once

#include <cstdint>

namespace vit::inline internal {

/// The geometry of a patch embedding. A convolution whose stride equals its kernel size is a linear
/// over patches.
struct PatchGeometry {
    std::int64_t channels, height, width;  ///< image
    std::int64_t patch_height, patch_width;
    std::int64_t patches() const { return height / patch_height * (width / patch_width); }
    std::int64_t patch_floats() const { return channels * patch_height * patch_width; }
};

/// Copies patches [first, first + count) of `image` [channels, height, width] to rows of `out`. A
/// row is [channel, y, x], the order of the convolution's weights. Rows are `stride` floats apart
/// and padded with zeros.
void gather_patches(const float* image, const PatchGeometry& geometry, std::int64_t first,
                    std::int64_t count, float* out, std::int64_t stride);

}  // namespace vit::inline internal
