#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "tools/evaluation/metrics.h"
#include "tools/evaluation/report.h"
#include "tools/pictures/svg.h"

namespace vit::tools {

namespace colour = pictures::colour;
using pictures::shortened;
using pictures::Svg;

namespace {

/// Up to so many classes all are shown; of more, at most so many.
constexpr std::size_t most_classes = 50, shown_of_many = 40;
constexpr std::size_t longest_label = 24;
constexpr double character = 6.8;  // mean width at 11 pixels, rather too wide than too narrow

/// A part of the confusion matrix. Rows are true classes, columns predicted ones.
struct Matrix {
    std::vector<std::string> names;
    std::vector<std::vector<std::int64_t>> images;
    bool others = false;  ///< the last row and column stand for all other classes
};

/// The classes that have images or were predicted.
std::vector<std::size_t> classes_that_occur(const Tally& tally) {
    std::vector<bool> occurs(tally.classes.size());
    for (std::size_t i = 0; i < occurs.size(); ++i) occurs[i] = tally.classes[i].images > 0;
    for (const auto& [pair, images] : tally.confusions)
        occurs[static_cast<std::size_t>(pair.second)] = true;
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < occurs.size(); ++i)
        if (occurs[i]) found.push_back(i);
    return found;
}

/// The classes of the most frequent confusions, in the order of the classes.
std::vector<std::size_t> most_confused(const Tally& tally) {
    std::vector<std::pair<std::int64_t, std::pair<std::int64_t, std::int64_t>>> confusions;
    for (const auto& [pair, images] : tally.confusions) confusions.emplace_back(-images, pair);
    std::ranges::sort(confusions);
    std::set<std::size_t> classes;
    for (const auto& [images, pair] : confusions) {
        if (classes.size() + 2 > shown_of_many) break;
        classes.insert(static_cast<std::size_t>(pair.first));
        classes.insert(static_cast<std::size_t>(pair.second));
    }
    return {classes.begin(), classes.end()};
}

Matrix matrix_of(const Report& report) {
    const Tally& tally = report.tally;
    std::vector<std::size_t> shown = classes_that_occur(tally);
    Matrix matrix;
    matrix.others = shown.size() > most_classes;
    if (matrix.others) shown = most_confused(tally);

    std::vector<std::size_t> place(tally.classes.size(), shown.size());
    for (std::size_t i = 0; i < shown.size(); ++i) {
        place[shown[i]] = i;
        matrix.names.push_back(shortened(
            label_of(report.classes, static_cast<std::int64_t>(shown[i])), longest_label));
    }
    if (matrix.others) matrix.names.emplace_back("all others");
    matrix.images.assign(matrix.names.size(), std::vector<std::int64_t>(matrix.names.size()));
    for (std::size_t i = 0; i < tally.classes.size(); ++i)
        if (tally.classes[i].top1 > 0) matrix.images[place[i]][place[i]] += tally.classes[i].top1;
    for (const auto& [pair, images] : tally.confusions)
        matrix.images[place[static_cast<std::size_t>(pair.first)]]
                     [place[static_cast<std::size_t>(pair.second)]] += images;
    return matrix;
}

/// The root makes a few wrong images visible among many right ones.
double opacity_of(double part) {
    return 0.08 + 0.92 * std::sqrt(part);
}

struct Layout {
    double cell, left, top, side, width, height;
    bool upright;  ///< names of columns are written upwards
};

Layout layout_of(const Matrix& matrix) {
    const auto n = static_cast<double>(matrix.names.size());
    std::size_t longest = 0;  // bytes: enough room for every alphabet
    for (const std::string& name : matrix.names) longest = std::max(longest, name.size());
    const double label = character * static_cast<double>(std::min(longest, longest_label)) + 8;
    Layout layout{};
    layout.cell = n <= 12 ? 44 : n <= 25 ? 28 : 20;
    layout.upright = label > layout.cell;
    layout.left = 44 + label;
    layout.top = 96 + (layout.upright ? label : 20);
    layout.side = n * layout.cell;
    layout.width = std::max(layout.left + layout.side + 24, 600.0);
    layout.height = layout.top + layout.side + 64;
    return layout;
}

void draw_cells(Svg& svg, const Matrix& matrix, const Layout& at) {
    const std::size_t n = matrix.names.size();
    for (std::size_t row = 0; row < n; ++row) {
        const auto& images = matrix.images[row];
        const std::int64_t all = std::accumulate(images.begin(), images.end(), std::int64_t{0});
        for (std::size_t column = 0; column < n; ++column) {
            if (images[column] == 0) continue;
            const double x = at.left + at.cell * static_cast<double>(column);
            const double y = at.top + at.cell * static_cast<double>(row);
            const double part = share(images[column], all);
            const double opacity = opacity_of(part);
            const bool mixed = matrix.others && row == n - 1 && column == n - 1;
            const auto fill = mixed ? colour::faint : row == column ? colour::blue : colour::orange;
            svg.rect(x + 0.5, y + 0.5, at.cell - 1, at.cell - 1, fill, opacity,
                     fmt::format("true {}, predicted {}: {} images ({:.1f} %)", matrix.names[row],
                                 matrix.names[column], images[column], 100 * part));
            const std::string number = std::to_string(images[column]);
            const double size =
                std::min(13.0, 1.45 * (at.cell - 4) / static_cast<double>(number.size()));
            if (size < 6) continue;
            svg.text(x + at.cell / 2, y + at.cell / 2 + 0.36 * size, number,
                     {size, "middle", opacity > 0.6 ? colour::paper : colour::text});
        }
    }
}

void draw_frame(Svg& svg, const Matrix& matrix, const Layout& at) {
    const std::size_t n = matrix.names.size();
    for (std::size_t i = 0; i <= n; ++i) {
        const double step = at.cell * static_cast<double>(i);
        svg.line(at.left + step, at.top, at.left + step, at.top + at.side, colour::grid);
        svg.line(at.left, at.top + step, at.left + at.side, at.top + step, colour::grid);
    }
    for (std::size_t i = 0; i < n; ++i) {
        const double middle = at.cell * (static_cast<double>(i) + 0.5);
        svg.text(at.left - 6, at.top + middle + 4, matrix.names[i], {11, "end"});
        if (at.upright)
            svg.text(at.left + middle + 4, at.top - 6, matrix.names[i],
                     {11, "start", colour::text, false, -90});
        else
            svg.text(at.left + middle, at.top - 6, matrix.names[i], {11, "middle"});
    }
    svg.text(at.left, 86, "predicted class →", {12, "start", colour::faint});
    svg.text(24, at.top, "true class →", {12, "end", colour::faint, false, -90});
}

void draw_legend(Svg& svg, const Layout& at) {
    double x = 24;
    const double y = at.top + at.side + 24;
    svg.text(x, y + 11, "part of the true class's images", {11, "start", colour::faint});
    x += 186;
    for (const auto& [name, fill] : {std::pair("right", colour::blue), {"wrong", colour::orange}}) {
        svg.text(x, y + 11, name, {11});
        x += 40;
        for (const int percent : {1, 10, 50, 100}) {
            const double opacity = opacity_of(percent / 100.0);
            svg.rect(x, y, 35, 16, fill, opacity);
            svg.text(x + 17.5, y + 12, fmt::format("{} %", percent),
                     {9, "middle", opacity > 0.6 ? colour::paper : colour::text});
            x += 36;
        }
        x += 10;
    }
}

}  // namespace

std::string confusion_svg(const Report& report) {
    const Matrix matrix = matrix_of(report);
    const Layout layout = layout_of(matrix);
    const Hits all = all_hits(report.tally);
    const std::string title = fmt::format("Confusion matrix: {:.2f} % of {} images are right",
                                          100 * share(all.top1, all.images), all.images);
    Svg svg(layout.width, layout.height, title);
    svg.text(24, 34, title, {17, "start", colour::text, true});
    svg.text(24, 56,
             matrix.others ? fmt::format("the {} of {} classes with the most frequent confusions, "
                                         "and all others together",
                                         matrix.names.size() - 1, report.tally.classes.size())
                           : "numbers of images",
             {12, "start", colour::faint});
    draw_cells(svg, matrix, layout);
    draw_frame(svg, matrix, layout);
    draw_legend(svg, layout);
    return std::move(svg).finish();
}

}  // namespace vit::tools
