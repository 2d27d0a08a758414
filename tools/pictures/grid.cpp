#include "tools/pictures/grid.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace vit::pictures {

namespace {

/// Where a cell of the large grid lies between two cells of the small one.
struct Between {
    std::size_t first, second;
    float share;  ///< of the second
};

std::vector<Between> places(std::int64_t from, std::int64_t to) {
    std::vector<Between> result;
    for (std::int64_t i = 0; i < to; ++i) {
        const double at = std::clamp(
            (static_cast<double>(i) + 0.5) * static_cast<double>(from) / static_cast<double>(to) -
                0.5,
            0.0, static_cast<double>(from - 1));
        const auto first = static_cast<std::int64_t>(at);
        result.push_back({static_cast<std::size_t>(first),
                          static_cast<std::size_t>(std::min(first + 1, from - 1)),
                          static_cast<float>(at - static_cast<double>(first))});
    }
    return result;
}

}  // namespace

float quantile(const Grid& grid, double share) {
    if (grid.values.empty()) return 0;
    std::vector<float> sorted = grid.values;
    for (float& x : sorted)
        if (std::isnan(x)) x = 0;  // sorting needs an order
    const auto at =
        static_cast<std::ptrdiff_t>(std::lround(share * static_cast<double>(sorted.size() - 1)));
    std::ranges::nth_element(sorted, sorted.begin() + at);
    return sorted[static_cast<std::size_t>(at)];
}

Grid enlarge(const Grid& grid, std::int64_t rows, std::int64_t columns) {
    const std::vector<Between> ys = places(grid.rows, rows), xs = places(grid.columns, columns);
    const auto at = [&](std::size_t y, std::size_t x) {
        return grid.values[y * static_cast<std::size_t>(grid.columns) + x];
    };
    Grid result{rows, columns, {}};
    result.values.reserve(static_cast<std::size_t>(rows * columns));
    for (const Between& y : ys)
        for (const Between& x : xs) {
            const float top = std::lerp(at(y.first, x.first), at(y.first, x.second), x.share),
                        bottom = std::lerp(at(y.second, x.first), at(y.second, x.second), x.share);
            result.values.push_back(std::lerp(top, bottom, y.share));
        }
    return result;
}

}  // namespace vit::pictures
