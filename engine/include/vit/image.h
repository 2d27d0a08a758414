// Images: decodes files, and preprocesses as timm's evaluation transform does.
#pragma once

#include "vit/config.h"
#ifdef VIT_CXX20

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace vit {

/// The order of a pixel's 8-bit samples in memory.
enum class PixelFormat {
    rgb,
    bgr,
    rgba,  ///< alpha is dropped, as in Pillow's convert("RGB"): no blending, no division by alpha
    gray,  ///< one sample, used as red, green and blue
};

/// Pixels that the caller owns. They must outlive the view. A function that takes a view checks it,
/// and throws Error(usage) where `data` is null, a side is below 1 or above 2^24, or the stride is
/// too small.
struct ImageView {
    const std::uint8_t* data = nullptr;  ///< the top left pixel
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::int64_t stride = 0;  ///< bytes from one row to the next; 0: no gap between rows
    PixelFormat format = PixelFormat::rgb;
};

/// 8-bit RGB, row-major, 3 bytes per pixel.
struct Image {
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::vector<std::uint8_t> rgb;  ///< height * width * 3

    /// The view is valid as long as `rgb` is neither changed nor destroyed. Throws Error(input)
    /// where a side is below 1 or above 2^24, or the length of `rgb` does not match.
    VIT_API operator ImageView() const;
};

struct DecodeOptions {
    bool exif = false;                      ///< apply the EXIF orientation tag
    std::uint64_t max_pixels = 89'478'485;  ///< more pixels are an Error(input)
};

/// Decodes a JPEG, PNG or WebP file to the pixels of Pillow's `convert("RGB")`. The first bytes of
/// the file decide the format. Files that Pillow refuses are refused. Some damaged files are
/// decoded by Pillow (a bad Huffman code, a wrong checksum, a missing end). For them this function
/// returns Pillow's pixels, and writes one line about the damage to `*warning` where `warning` is
/// not null. For an undamaged file that text is empty. Thread-safe. Throws Error(io) where the file
/// cannot be read, Error(input) where it is not an image, truncated, damaged or too large,
/// Error(unsupported) for other formats and kinds of JPEG, and Error(memory).
VIT_API Image decode_image(const std::filesystem::path& path, const DecodeOptions& options = {},
                           std::string* warning = nullptr);
/// The same from memory; `name` is used in messages only.
VIT_API Image decode_image(std::span<const std::byte> bytes, const std::filesystem::path& name,
                           const DecodeOptions& options = {}, std::string* warning = nullptr);

enum class Crop { center, squash, border };
enum class Filter { nearest, bilinear, bicubic, lanczos };

/// timm's evaluation transform: resize, crop, scale to [0, 1], normalise.
struct Transform {
    std::int64_t height = 224;
    std::int64_t width = 224;
    double crop_pct = 0.875;
    Crop crop = Crop::center;
    Filter filter = Filter::bicubic;
    std::array<float, 3> mean{0.485f, 0.456f, 0.406f};
    std::array<float, 3> std{0.229f, 0.224f, 0.225f};
    /// How half of an odd margin is rounded. true: down, as transformers does. false: to even.
    bool crop_rounds_down = false;
};

/// Only resizes and crops. The result has 8-bit pixels and transform.height × transform.width; it
/// has the same bytes as Pillow + timm. Reads `image` in place. Thread-safe. Throws what
/// preprocess() throws.
VIT_API Image resize_and_crop(const ImageView& image, const Transform& transform);

/// Writes [3, height, width] float32 to `out`, which must have exactly that length. Thread-safe.
/// Throws Error(usage) where the length of `out` is wrong or the transform or the view is invalid,
/// Error(input) where the image is too narrow for the transform, and Error(memory).
VIT_API void preprocess(const ImageView& image, const Transform& transform, std::span<float> out);

}  // namespace vit

#endif  // VIT_CXX20
