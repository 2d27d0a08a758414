#include "engine/model/position_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/base/checked.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

/// Keys, "Cubic convolution interpolation for digital image processing", 1981, with a = -0.5. The
/// fused multiply-adds are where torch's builds for AVX2 have them, so the weights are bit-equal to
/// torch's.
float cubic(float x) {
    constexpr float a = -0.5f;
    x = std::abs(x);
    if (x < 1) return std::fma(std::fma(a + 2, x, -(a + 3)) * x, x, 1.0f);
    if (x < 2) return std::fma(std::fma(std::fma(a, x, -5 * a), x, 8 * a), x, -4 * a);
    return 0;
}

/// The inputs of one output position: `weights.size()` inputs, starting at `first`.
struct Taps {
    std::size_t first = 0;
    std::vector<float> weights;
};

/// torch's antialiased weights. When a table shrinks, the filter is stretched over `scale` inputs.
/// The weights inside the input are normalised to a sum of one. This uses float32 where torch does:
/// timm resizes in float32 for every model type, and the rounding of `center` changes the sixth
/// digit of the result.
std::vector<Taps> bicubic_taps(std::int64_t in, std::int64_t out) {
    const float scale = static_cast<float>(in) / static_cast<float>(out);
    const float support = scale >= 1 ? 2 * scale : 2;
    const float inverse = scale >= 1 ? 1 / scale : 1;
    std::vector<Taps> result;
    for (std::int64_t i = 0; i < out; ++i) {
        const auto center =
            static_cast<float>(static_cast<double>(scale) * (static_cast<double>(i) + 0.5));
        const auto first = std::max<std::int64_t>(
            static_cast<std::int64_t>(static_cast<double>(center - support) + 0.5), 0);
        const auto last = std::min<std::int64_t>(
            static_cast<std::int64_t>(static_cast<double>(center + support) + 0.5), in);
        Taps taps{static_cast<std::size_t>(first), {}};
        float sum = 0;
        for (std::int64_t j = first; j < last; ++j) {
            const double distance = static_cast<double>(static_cast<float>(j) - center) + 0.5;
            taps.weights.push_back(
                cubic(static_cast<float>(distance * static_cast<double>(inverse))));
            sum += taps.weights.back();
        }
        for (float& weight : taps.weights) weight /= sum;
        result.push_back(std::move(taps));
    }
    return result;
}

/// torch's weights of the two neighbours, without antialiasing.
std::vector<Taps> bilinear_taps(std::int64_t in, std::int64_t out, bool corners) {
    const float scale = corners ? static_cast<float>(in - 1) /
                                      static_cast<float>(std::max<std::int64_t>(out - 1, 1))
                                : static_cast<float>(in) / static_cast<float>(out);
    std::vector<Taps> result;
    for (std::int64_t i = 0; i < out; ++i) {
        const float at = corners
                             ? scale * static_cast<float>(i)
                             : std::max(std::fma(scale, static_cast<float>(i) + 0.5f, -0.5f), 0.0f);
        const auto first = std::min(static_cast<std::int64_t>(at), in - 1);
        const float second = std::min(at - static_cast<float>(first), 1.0f);
        if (first + 1 < in)
            result.push_back({static_cast<std::size_t>(first), {1 - second, second}});
        else
            result.push_back({static_cast<std::size_t>(first), {1}});
    }
    return result;
}

/// torch's weights of the four neighbours, without antialiasing and with a = -0.75. Beyond an edge,
/// the row at the edge counts.
std::vector<Taps> plain_bicubic_taps(std::int64_t in, std::int64_t out) {
    constexpr float a = -0.75f;
    const auto near = [](float x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
    const auto far = [](float x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
    const float scale = static_cast<float>(in) / static_cast<float>(out);
    std::vector<Taps> result;
    for (std::int64_t i = 0; i < out; ++i) {
        const float at = std::fma(scale, static_cast<float>(i) + 0.5f, -0.5f);
        const auto middle = static_cast<std::int64_t>(std::floor(at));
        const float t = at - static_cast<float>(middle);
        const float weights[] = {far(t + 1), near(t), near(1 - t), far(2 - t)};
        const auto inside = [&](std::int64_t j) { return std::clamp<std::int64_t>(j, 0, in - 1); };
        const std::int64_t first = inside(middle - 1);
        Taps taps{static_cast<std::size_t>(first),
                  std::vector<float>(static_cast<std::size_t>(inside(middle + 2) - first) + 1)};
        for (std::int64_t k = 0; k < 4; ++k)
            taps.weights[static_cast<std::size_t>(inside(middle - 1 + k) - first)] += weights[k];
        result.push_back(std::move(taps));
    }
    return result;
}

std::vector<Taps> taps_for(std::int64_t in, std::int64_t out, TableInterpolation interpolation) {
    if (interpolation == TableInterpolation::bicubic) return bicubic_taps(in, out);
    if (interpolation == TableInterpolation::bicubic_plain) return plain_bicubic_taps(in, out);
    return bilinear_taps(in, out, interpolation == TableInterpolation::bilinear_corners);
}

std::uint64_t rows(std::int64_t prefix, ImageSize grid) {
    const std::int64_t extents[] = {grid.height, grid.width};
    return checked::add(static_cast<std::uint64_t>(prefix),
                        checked::product(extents, "position table"), "position table");
}

}  // namespace

std::vector<float> resample_position_table(std::span<const float> table, std::int64_t prefix,
                                           ImageSize old_grid, ImageSize new_grid, std::int64_t dim,
                                           TableInterpolation interpolation) {
    if (prefix < 0 || dim < 1 || old_grid.height < 1 || old_grid.width < 1 || new_grid.height < 1 ||
        new_grid.width < 1)
        throw Error(ErrorKind::usage, fmt::format("position table: expected grids of 1x1 or more, "
                                                  "found {}x{} and {}x{} (prefix {}, dim {})",
                                                  old_grid.height, old_grid.width, new_grid.height,
                                                  new_grid.width, prefix, dim));
    const auto width = static_cast<std::uint64_t>(dim);
    if (table.size() != checked::mul(rows(prefix, old_grid), width, "position table"))
        throw Error(ErrorKind::usage,
                    fmt::format("position table: expected {} prefix rows and {}x{} patch rows of "
                                "{}, found {} numbers",
                                prefix, old_grid.height, old_grid.width, dim, table.size()));
    if (old_grid == new_grid) return {table.begin(), table.end()};

    const auto columns = static_cast<std::size_t>(dim);
    const std::size_t head = static_cast<std::size_t>(prefix) * columns;
    const std::vector<Taps> across = taps_for(old_grid.width, new_grid.width, interpolation);
    const std::vector<Taps> down = taps_for(old_grid.height, new_grid.height, interpolation);
    const auto old_width = static_cast<std::size_t>(old_grid.width);
    const auto old_height = static_cast<std::size_t>(old_grid.height);

    // First along the width, [old height, new width, dim] …
    std::vector<double> half(old_height * across.size() * columns, 0.0);
    for (std::size_t y = 0; y < old_height; ++y)
        for (std::size_t x = 0; x < across.size(); ++x)
            for (std::size_t k = 0; k < across[x].weights.size(); ++k) {
                const float* in =
                    table.data() + head + (y * old_width + across[x].first + k) * columns;
                const auto weight = static_cast<double>(across[x].weights[k]);
                double* out = half.data() + (y * across.size() + x) * columns;
                for (std::size_t c = 0; c < columns; ++c)
                    out[c] += weight * static_cast<double>(in[c]);
            }
    // … then along the height.
    std::vector<float> result(checked::to_size(
        checked::mul(rows(prefix, new_grid), width, "position table"), "position table"));
    std::copy_n(table.begin(), head, result.begin());
    std::vector<double> row(columns);
    for (std::size_t y = 0; y < down.size(); ++y)
        for (std::size_t x = 0; x < across.size(); ++x) {
            std::fill(row.begin(), row.end(), 0.0);
            for (std::size_t k = 0; k < down[y].weights.size(); ++k) {
                const double* in =
                    half.data() + ((down[y].first + k) * across.size() + x) * columns;
                const auto weight = static_cast<double>(down[y].weights[k]);
                for (std::size_t c = 0; c < columns; ++c) row[c] += weight * in[c];
            }
            float* out = result.data() + head + (y * across.size() + x) * columns;
            for (std::size_t c = 0; c < columns; ++c) out[c] = static_cast<float>(row[c]);
        }
    return result;
}

}  // namespace vit::inline internal
