// Follows Pillow's src/libImaging/Resample.c and, for nearest, ImagingScaleAffine in Geometry.c.
// Rows and columns are resized in two passes, the horizontal one usually first. Weights are
// computed in double and rounded to fixed point. Pixels between the passes have 8 bits. Every
// output pixel depends only on its own weights, so computing only a window does not change its
// pixels.
#include "engine/image/resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

#include "engine/image/view.h"

namespace vit::inline internal::image {
namespace {

// 8 bits are for the result, and 2 for the overshoot of filters with negative lobes.
constexpr int precision_bits = 32 - 8 - 2;
constexpr std::int32_t half = 1 << (precision_bits - 1);

double triangle(double x) {
    x = std::abs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

double cubic(double x) {
    constexpr double a = -0.5;
    x = std::abs(x);
    if (x < 1.0) {
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    }
    if (x < 2.0) {
        return (((x - 5) * x + 8) * x - 4) * a;
    }
    return 0.0;
}

double sinc(double x) {
    if (x == 0.0) {
        return 1.0;
    }
    x *= std::numbers::pi;
    return std::sin(x) / x;
}

double lanczos3(double x) {
    return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0;
}

struct Kernel {
    double (*weight)(double);
    double support;
};

Kernel kernel_of(Filter filter) {
    switch (filter) {
        case Filter::bilinear:
            return {triangle, 1.0};
        case Filter::lanczos:
            return {lanczos3, 3.0};
        default:
            return {cubic, 2.0};
    }
}

struct Range {
    std::int64_t begin;
    std::int64_t count;
};

/// Output i is the sum over j < count[i] of weights[i * stride + j] * input[first[i] + j].
struct Taps {
    std::size_t stride = 0;
    std::vector<std::int64_t> first;
    std::vector<std::int64_t> count;
    std::vector<std::int32_t> weights;

    std::int64_t outputs() const { return static_cast<std::int64_t>(first.size()); }

    /// Makes `first` relative to the first input that is used. Returns the range of used inputs.
    Range make_relative() {
        Range used{*std::min_element(first.begin(), first.end()), 0};
        for (std::size_t i = 0; i < first.size(); ++i) {
            first[i] -= used.begin;
            used.count = std::max(used.count, first[i] + count[i]);
        }
        return used;
    }
};

/// The taps of outputs begin … begin + outputs - 1 of `out_size`.
Taps taps_of(std::int64_t in_size, std::int64_t out_size, std::int64_t begin, std::int64_t outputs,
             const Kernel& kernel) {
    const double scale = static_cast<double>(in_size) / static_cast<double>(out_size);
    const double filter_scale = std::max(scale, 1.0);
    const double inverse_scale = 1.0 / filter_scale;
    const double support = kernel.support * filter_scale;

    Taps taps;
    taps.stride = static_cast<std::size_t>(
        std::min(in_size, static_cast<std::int64_t>(std::ceil(support)) * 2 + 1));
    taps.first.resize(static_cast<std::size_t>(outputs));
    taps.count.resize(static_cast<std::size_t>(outputs));
    taps.weights.resize(static_cast<std::size_t>(outputs) * taps.stride);
    std::vector<double> weights(taps.stride);
    for (std::int64_t i = 0; i < outputs; ++i) {
        const double center = (static_cast<double>(begin + i) + 0.5) * scale;
        // Truncation rounds negative values towards zero, as in C.
        const auto first =
            std::max<std::int64_t>(0, static_cast<std::int64_t>(center - support + 0.5));
        const auto last = std::min(in_size, static_cast<std::int64_t>(center + support + 0.5));
        const auto count = static_cast<std::size_t>(last - first);
        double sum = 0.0;
        for (std::size_t j = 0; j < count; ++j) {
            const double x = static_cast<double>(first + static_cast<std::int64_t>(j));
            weights[j] = kernel.weight((x - center + 0.5) * inverse_scale);
            sum += weights[j];
        }
        std::int32_t* const row = taps.weights.data() + static_cast<std::size_t>(i) * taps.stride;
        for (std::size_t j = 0; j < count; ++j) {
            const double w = sum != 0.0 ? weights[j] / sum : weights[j];
            row[j] = static_cast<std::int32_t>((w < 0 ? -0.5 : 0.5) + w * (1 << precision_bits));
        }
        taps.first[static_cast<std::size_t>(i)] = first;
        taps.count[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(count);
    }
    return taps;
}

std::uint8_t to_byte(std::int32_t sum) {
    return static_cast<std::uint8_t>(std::clamp(sum >> precision_bits, 0, 255));
}

/// Computes one row: the outputs of `taps` from a row of RGB pixels.
void horizontal(const std::uint8_t* in, const Taps& taps, std::uint8_t* out) {
    for (std::size_t i = 0; i < taps.first.size(); ++i, out += 3) {
        const std::uint8_t* pixel = in + taps.first[i] * 3;
        const std::int32_t* const weights = taps.weights.data() + i * taps.stride;
        // Four pixels at a time, with one lane for each of their bytes, because compilers turn this
        // into vectors.
        std::array<std::int32_t, 12> lanes{half, half, half};
        std::int64_t j = 0;
        for (; j + 4 <= taps.count[i]; j += 4, pixel += 12) {
            for (std::size_t lane = 0; lane < 12; ++lane) {
                lanes[lane] += pixel[lane] * weights[static_cast<std::size_t>(j) + lane / 3];
            }
        }
        std::int32_t r = lanes[0] + lanes[3] + lanes[6] + lanes[9];
        std::int32_t g = lanes[1] + lanes[4] + lanes[7] + lanes[10];
        std::int32_t b = lanes[2] + lanes[5] + lanes[8] + lanes[11];
        for (; j < taps.count[i]; ++j, pixel += 3) {
            r += pixel[0] * weights[j];
            g += pixel[1] * weights[j];
            b += pixel[2] * weights[j];
        }
        out[0] = to_byte(r);
        out[1] = to_byte(g);
        out[2] = to_byte(b);
    }
}

/// Computes one row of `samples` bytes from `count` rows, the first of which is at `in`.
void vertical(const std::uint8_t* in, std::size_t row_bytes, const std::int32_t* weights,
              std::int64_t count, std::size_t samples, std::int32_t* sums, std::uint8_t* out) {
    std::fill_n(sums, samples, half);
    for (std::int64_t j = 0; j < count; ++j, in += row_bytes) {
        const std::int32_t weight = weights[j];
        for (std::size_t x = 0; x < samples; ++x) {
            sums[x] += in[x] * weight;
        }
    }
    for (std::size_t x = 0; x < samples; ++x) {
        out[x] = to_byte(sums[x]);
    }
}

Image blank(std::int64_t height, std::int64_t width) {
    return {height, width, std::vector<std::uint8_t>(static_cast<std::size_t>(height * width * 3))};
}

ImageView view_of(const Image& image) {
    return {image.rgb.data(), image.height, image.width, image.width * 3, PixelFormat::rgb};
}

Image crop(const ImageView& image, const Window& window) {
    Image out = blank(window.height, window.width);
    const auto width = static_cast<std::size_t>(window.width);
    for (std::int64_t y = 0; y < window.height; ++y) {
        copy_as_rgb(pixel_at(image, window.top + y, window.left), image.format, width,
                    out.rgb.data() + static_cast<std::size_t>(y) * width * 3);
    }
    return out;
}

/// The input index of each output; -1 outside of the image. Pillow adds the step repeatedly, and
/// its rounding changes the result.
std::vector<std::int64_t> nearest_indices(std::int64_t in_size, std::int64_t out_size,
                                          std::int64_t begin, std::int64_t outputs) {
    const double step = static_cast<double>(in_size) / static_cast<double>(out_size);
    std::vector<std::int64_t> result;
    result.reserve(static_cast<std::size_t>(outputs));
    double position = step * 0.5;
    for (std::int64_t i = 0; i < begin + outputs; ++i, position += step) {
        if (i >= begin) {
            const auto index = static_cast<std::int64_t>(position);
            result.push_back(index < in_size ? index : -1);
        }
    }
    return result;
}

Image resize_nearest(const ImageView& image, std::int64_t height, std::int64_t width,
                     const Window& window) {
    Image out = blank(window.height, window.width);
    const auto rows = nearest_indices(image.height, height, window.top, window.height);
    const auto columns = nearest_indices(image.width, width, window.left, window.width);
    std::uint8_t* target = out.rgb.data();
    for (const std::int64_t y : rows) {
        for (const std::int64_t x : columns) {
            if (y >= 0 && x >= 0) {
                copy_as_rgb(pixel_at(image, y, x), image.format, 1, target);
            }
            target += 3;
        }
    }
    return out;
}

/// Computes all outputs of `columns` for `height` rows, starting at `top`.
Image resize_columns(const ImageView& image, std::int64_t top, std::int64_t height,
                     const Taps& columns) {
    Image out = blank(height, columns.outputs());
    const bool is_rgb = image.format == PixelFormat::rgb;
    const auto width = static_cast<std::size_t>(image.width);
    std::vector<std::uint8_t> as_rgb(is_rgb ? 0 : width * 3);
    for (std::int64_t y = 0; y < height; ++y) {
        const std::uint8_t* row = pixel_at(image, top + y, 0);
        if (!is_rgb) {
            copy_as_rgb(row, image.format, width, as_rgb.data());
            row = as_rgb.data();
        }
        horizontal(row, columns, out.rgb.data() + y * out.width * 3);
    }
    return out;
}

/// Computes all outputs of `rows` for `width` columns, starting at `left`.
Image resize_rows(const ImageView& image, std::int64_t left, std::int64_t width, const Taps& rows) {
    Image out = blank(rows.outputs(), width);
    const auto samples = static_cast<std::size_t>(width * pixel_bytes(image.format));
    std::vector<std::int32_t> sums(samples);
    // Samples are not mixed here, so the sums are computed in the image's own format.
    const bool is_rgb = image.format == PixelFormat::rgb;
    std::vector<std::uint8_t> as_given(is_rgb ? 0 : samples);
    for (std::size_t y = 0; y < rows.first.size(); ++y) {
        std::uint8_t* const target = out.rgb.data() + y * static_cast<std::size_t>(width) * 3;
        std::uint8_t* const sum = is_rgb ? target : as_given.data();
        vertical(pixel_at(image, rows.first[y], left), static_cast<std::size_t>(image.stride),
                 rows.weights.data() + y * rows.stride, rows.count[y], samples, sums.data(), sum);
        if (!is_rgb) {
            copy_as_rgb(sum, image.format, static_cast<std::size_t>(width), target);
        }
    }
    return out;
}

}  // namespace

Image resize(const ImageView& image, std::int64_t height, std::int64_t width, Filter filter,
             const Window& window) {
    if (height == image.height && width == image.width) {
        return crop(image, window);
    }
    if (filter == Filter::nearest) {
        return resize_nearest(image, height, width, window);
    }
    const Kernel kernel = kernel_of(filter);
    if (height == image.height) {
        return resize_columns(image, window.top, window.height,
                              taps_of(image.width, width, window.left, window.width, kernel));
    }
    Taps rows = taps_of(image.height, height, window.top, window.height, kernel);
    if (width == image.width) {
        return resize_rows(image, window.left, window.width, rows);
    }
    Taps columns = taps_of(image.width, width, window.left, window.width, kernel);

    // The order of the passes changes the result, because pixels between them are rounded to 8
    // bits. Until Pillow 12 the columns were always resized first. Since 13.0.0 the rows are first
    // where the height shrinks by more than twice as many pixels as the width.
    const std::int64_t less_height = image.height - height;
    const std::int64_t less_width = image.width - width;
    if (less_height > 0 && less_height > 2 * less_width) {
        const Range used = columns.make_relative();
        return resize_columns(view_of(resize_rows(image, used.begin, used.count, rows)), 0,
                              window.height, columns);
    }
    const Range used = rows.make_relative();
    return resize_rows(view_of(resize_columns(image, used.begin, used.count, columns)), 0,
                       window.width, rows);
}

}  // namespace vit::inline internal::image
