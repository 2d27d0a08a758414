#include <fmt/format.h>

#include <algorithm>

#include "tools/evaluation/metrics.h"
#include "tools/evaluation/report.h"
#include "tools/pictures/svg.h"

namespace vit::tools {

namespace colour = pictures::colour;
using pictures::Svg;

namespace {

constexpr double left = 84, top = 104, side = 420, gap = 28, bars = 100;
constexpr double width = left + side + 36, bars_top = top + side + gap,
                 height = bars_top + bars + 66;

double x_of(double confidence) {
    return left + side * confidence;
}

double y_of(double accuracy) {
    return top + side * (1 - accuracy);
}

void draw_axes(Svg& svg, std::int64_t most_images) {
    for (int percent = 0; percent <= 100; percent += 20) {
        const double part = percent / 100.0;
        const std::string text = fmt::format("{} %", percent);
        svg.line(left, y_of(part), left + side, y_of(part), colour::grid);
        svg.text(left - 8, y_of(part) + 4, text, {11, "end", colour::faint});
        svg.line(x_of(part), bars_top + bars, x_of(part), bars_top + bars + 4, colour::faint);
        svg.text(x_of(part), bars_top + bars + 18, text, {11, "middle", colour::faint});
    }
    svg.line(left, bars_top + bars, left + side, bars_top + bars, colour::faint);
    svg.line(left, bars_top, left + side, bars_top, colour::grid);
    svg.text(left - 8, bars_top + bars + 4, "0", {11, "end", colour::faint});
    svg.text(left - 8, bars_top + 4, std::to_string(most_images), {11, "end", colour::faint});
    svg.text(left + side / 2, bars_top + bars + 44, "confidence of the predicted class",
             {12, "middle"});
    svg.text(24, top + side / 2, "top-1 accuracy", {12, "middle", colour::text, false, -90});
    svg.text(24, bars_top + bars / 2, "images", {12, "middle", colour::text, false, -90});
}

void draw_bins(Svg& svg, const Tally& tally, std::int64_t most_images) {
    const double bin_width = side / confidence_bins;
    for (std::size_t i = 0; i < confidence_bins; ++i) {
        const ConfidenceBin& bin = tally.bins[i];
        if (bin.images == 0) continue;
        const double x = left + bin_width * static_cast<double>(i);
        const double accuracy = share(bin.right, bin.images);
        const double confidence = bin.confidence / static_cast<double>(bin.images);
        const std::string tip =
            fmt::format("{} images: mean confidence {:.2f} %, top-1 accuracy {:.2f} %", bin.images,
                        100 * confidence, 100 * accuracy);
        svg.rect(x + 1, y_of(accuracy), bin_width - 2, side * accuracy, colour::blue, 0.75, tip);
        svg.line(x + 1, y_of(confidence), x + bin_width - 1, y_of(confidence), colour::orange, 4);
        const double bar = bars * share(bin.images, most_images);
        svg.rect(x + 1, bars_top + bars - bar, bin_width - 2, bar, colour::faint, 0.7, tip);
    }
}

void draw_legend(Svg& svg) {
    svg.rect(left, 72, 14, 14, colour::blue, 0.75);
    svg.text(left + 20, 84, "accuracy", {11});
    svg.line(left + 96, 79, left + 120, 79, colour::orange, 4);
    svg.text(left + 126, 84, "mean confidence", {11});
    svg.line(left + 252, 79, left + 276, 79, colour::text, 1.5, true);
    svg.text(left + 282, 84, "both equal", {11});
}

}  // namespace

std::string reliability_svg(const Report& report) {
    const Tally& tally = report.tally;
    const auto most = std::ranges::max_element(tally.bins, {}, &ConfidenceBin::images)->images;
    Svg svg(width, height, "Reliability diagram");
    svg.text(24, 34, "Reliability diagram", {17, "start", colour::text, true});
    svg.text(24, 56,
             fmt::format("{} images, expected calibration error {:.2f} % ({} bins)",
                         all_hits(tally).images, 100 * expected_calibration_error(tally.bins),
                         confidence_bins),
             {12, "start", colour::faint});
    draw_axes(svg, most);
    draw_bins(svg, tally, most);
    svg.line(x_of(0), y_of(0), x_of(1), y_of(1), colour::text, 1.5, true);
    draw_legend(svg);
    return std::move(svg).finish();
}

}  // namespace vit::tools
