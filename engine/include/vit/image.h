// Images: decode files, and preprocess as timm's evaluation transform does.
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
    rgba,  ///< alpha is dropped, as by Pillow's convert("RGB"): nothing is blended or divided by it
    gray,  ///< one sample, used as red, green and blue
};

/// Somebody else's pixels, which must outlive the view. Functions that take one check it and throw
/// Error(usage) for a null `data`, a side below 1 or beyond 2^24, and a stride that is too small.
struct ImageView {
    const std::uint8_t* data = nullptr;  ///< the top left pixel
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::int64_t stride = 0;  ///< bytes from one row to the next; 0: rows follow without a gap
    PixelFormat format = PixelFormat::rgb;
};

/// 8-bit RGB, row-major, 3 bytes a pixel.
struct Image {
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::vector<std::uint8_t> rgb;  ///< height * width * 3

    /// Valid as long as `rgb` is neither changed nor destroyed. Throws Error(input) when a side is
    /// below 1 or beyond 2^24, or `rgb` has another length.
    VIT_API operator ImageView() const;
};

struct DecodeOptions {
    bool exif = false;                      ///< apply the EXIF orientation tag
    std::uint64_t max_pixels = 89'478'485;  ///< Error(input) beyond
};

/// JPEG, PNG or WebP, told by their first bytes; the pixels of Pillow's `convert("RGB")`.
/// What Pillow refuses is refused. Damage that Pillow decodes in spite of (a bad Huffman code, a
/// wrong checksum, a missing end) gives Pillow's pixels, and one line about it in `*warning`, where
/// `warning` is not null; that is empty for a sound file.
/// Thread-safe. Throws Error(io) when unreadable, Error(input) when it is no image, truncated,
/// damaged or too large, Error(unsupported) for other formats and kinds of JPEG, Error(memory).
VIT_API Image decode_image(const std::filesystem::path& path, const DecodeOptions& options = {},
                           std::string* warning = nullptr);
/// From memory; `name` is only for messages.
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
    bool crop_rounds_down = false;  ///< half of an odd margin: down as transformers, not to even
};

/// Resize and crop only; 8-bit result of transform.height × transform.width, byte-equal to Pillow +
/// timm. Reads `image` in place. Thread-safe. Throws what preprocess() throws.
VIT_API Image resize_and_crop(const ImageView& image, const Transform& transform);

/// Writes [3, height, width] float32 to `out` (exactly that many). Thread-safe.
/// Throws Error(usage) on a wrong size of `out`, a transform that makes no sense and a view that is
/// none, Error(input) on an image that is too narrow for the transform, Error(memory).
VIT_API void preprocess(const ImageView& image, const Transform& transform, std::span<float> out);

}  // namespace vit

#endif  // VIT_CXX20
