#include "bench/thread_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "tools/pictures/svg.h"

namespace vit::bench {

namespace {

using pictures::Svg;
using pictures::TextStyle;

constexpr double width = 760, height = 440, left = 70, right = 590, top = 60, bottom = 380;

/// Distinguishable with any kind of colour vision (Okabe & Ito, "Color Universal Design", 2008).
constexpr std::string_view colours[]{"#0072b2", "#d55e00", "#009e73",
                                     "#cc79a7", "#e69f00", "#56b4e9"};

struct Series {
    std::string name;
    std::map<int, double> speeds;  ///< by number of threads
};

std::vector<Series> series_of(const std::vector<ThreadPoint>& points) {
    std::vector<Series> all;
    for (const ThreadPoint& point : points) {
        auto series = std::ranges::find(all, point.series, &Series::name);
        if (series == all.end()) series = all.insert(all.end(), {point.series, {}});
        double& speed = series->speeds[point.threads];
        speed = std::max(speed, point.images_per_second);
    }
    return all;
}

/// The smallest of 1, 2 and 5 times a power of ten that divides `range` into at most six parts.
double step_of(double range) {
    double step = std::pow(10.0, std::floor(std::log10(range / 6)));
    for (const double factor : {2.0, 2.5, 2.0})
        if (range / step > 6) step *= factor;
    return step;
}

}  // namespace

std::string thread_chart(std::string_view title, const std::vector<ThreadPoint>& points) {
    const std::vector<Series> all = series_of(points);
    double most = 1e-3;
    int most_threads = 1;
    for (const ThreadPoint& point : points) {
        most = std::max(most, point.images_per_second);
        most_threads = std::max(most_threads, point.threads);
    }
    const double step = step_of(most), range = std::ceil(most / step) * step;
    const auto x = [&](int threads) {
        return most_threads == 1 ? (left + right) / 2
                                 : left + (right - left) * (threads - 1) / (most_threads - 1);
    };
    const auto y = [&](double speed) { return bottom - (bottom - top) * speed / range; };

    Svg svg(width, height, title);
    svg.text(left, 30, title, {.size = 16, .bold = true});
    for (double speed = 0; speed < range + step / 2; speed += step) {
        svg.line(left, y(speed), right, y(speed), pictures::colour::grid);
        svg.text(left - 8, y(speed) + 4, fmt::format("{:g}", speed), {.anchor = "end"});
    }
    std::map<int, double> ticks;
    for (const Series& series : all) ticks.insert(series.speeds.begin(), series.speeds.end());
    for (const auto& [threads, unused] : ticks)
        svg.text(x(threads), bottom + 18, std::to_string(threads), {.anchor = "middle"});
    svg.text((left + right) / 2, bottom + 42, "threads", {.anchor = "middle"});
    svg.text(22, (top + bottom) / 2, "images/s", {.anchor = "middle", .degrees = -90});

    double label_at = top - 18;
    std::vector<std::pair<double, std::size_t>> order;  // the highest line gets the first label
    for (std::size_t i = 0; i < all.size(); ++i)
        order.emplace_back(y(all[i].speeds.rbegin()->second), i);
    std::ranges::sort(order);
    for (const auto& [end, i] : order) {
        const std::string_view colour = colours[i % std::size(colours)];
        const auto& speeds = all[i].speeds;
        for (auto from = speeds.begin(), to = std::next(from); to != speeds.end(); ++from, ++to)
            svg.line(x(from->first), y(from->second), x(to->first), y(to->second), colour, 2);
        for (const auto& [threads, speed] : speeds)
            svg.rect(x(threads) - 4, y(speed) - 4, 8, 8, colour, 1,
                     fmt::format("{}, {} threads: {:.2f} images/s", all[i].name, threads, speed));
        label_at = std::max(end + 4, label_at + 18);
        svg.text(right + 14, label_at,
                 fmt::format("{}: {:.1f}", all[i].name, speeds.rbegin()->second),
                 {.fill = colour, .bold = true});
    }
    return std::move(svg).finish();
}

}  // namespace vit::bench
