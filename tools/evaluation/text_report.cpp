#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "tools/common/error_line.h"
#include "tools/evaluation/metrics.h"
#include "tools/evaluation/report.h"
#include "tools/pictures/svg.h"

namespace vit::tools {

using pictures::shortened;

namespace {

constexpr std::size_t most_rows = 20;
constexpr std::size_t longest_label = 32;  // characters; ImageNet's labels are up to 121 long

std::string accuracy(std::int64_t right, std::int64_t images) {
    return fmt::format("{:6.2f} %  ({} of {})", 100 * share(right, images), right, images);
}

std::string cell(const ClassNames& classes, std::int64_t index) {
    return shortened(escape_control(label_of(classes, index)), longest_label);
}

/// The number of columns that a terminal needs for `text`, which is of at most longest_label
/// characters.
std::size_t columns_of(const std::string& text) {
    constexpr std::size_t padded = 2 * longest_label;
    return text.size() + padded - fmt::formatted_size("{:<{}}", text, padded);
}

void append_figures(std::string& out, const Report& report) {
    const Tally& tally = report.tally;
    const Hits all = all_hits(tally);
    auto to = std::back_inserter(out);
    fmt::format_to(to, "images        {}", all.images);
    if (tally.failed > 0) fmt::format_to(to, ", and {} that failed and do not count", tally.failed);
    if (report.missing > 0)
        fmt::format_to(to, ", and {} without a record that do not count", report.missing);
    fmt::format_to(to, "\ntop-1         {}\n", accuracy(all.top1, all.images));
    if (tally.top5_known)
        fmt::format_to(to, "top-5         {}\n", accuracy(all.top5, all.images));
    else
        out += "top-5         not known: records have fewer than 5 classes (vit-infer -k 5)\n";
    if (tally.real) {
        const Hits& real = *tally.real;
        fmt::format_to(to, "real top-1    {}\n", accuracy(real.top1, real.images));
        if (tally.top5_known)
            fmt::format_to(to, "real top-5    {}\n", accuracy(real.top5, real.images));
    }
    fmt::format_to(to, "class mean    {:6.2f} %  top-1\n", 100 * mean_class_accuracy(tally));
    if (const auto loss = negative_log_likelihood(tally))
        fmt::format_to(to, "NLL           {:6.4f}\n", *loss);
    else if (all.images > 0)
        fmt::format_to(to,
                       "NLL           not known: records lack the true class (vit-infer -k {})\n",
                       report.classes.count);
    fmt::format_to(to, "ECE           {:6.2f} %  ({} bins)\n",
                   100 * expected_calibration_error(tally.bins), confidence_bins);
    if (report.images_per_second)
        fmt::format_to(to, "speed         {:.1f} images/s\n", *report.images_per_second);
}

void append_bins(std::string& out, const Tally& tally) {
    auto to = std::back_inserter(out);
    fmt::format_to(to, "\n{:<15}{:>10}{:>12}{:>10}\n", "confidence", "images", "mean", "top-1");
    for (std::size_t i = 0; i < confidence_bins; ++i) {
        const ConfidenceBin& bin = tally.bins[i];
        if (bin.images == 0) continue;
        const double width = 100.0 / confidence_bins;
        fmt::format_to(to, "{:5.1f}-{:5.1f} %  {:>10}{:>10.2f} %{:>8.2f} %\n",
                       width * static_cast<double>(i), width * static_cast<double>(i + 1),
                       bin.images, 100 * bin.confidence / static_cast<double>(bin.images),
                       100 * share(bin.right, bin.images));
    }
}

void append_classes(std::string& out, const Report& report, bool all_classes) {
    const std::vector<ClassRow> rows = worst_classes(report.tally);
    const std::size_t shown = all_classes ? rows.size() : std::min(rows.size(), most_rows);
    struct Line {
        std::string label, confusion;
    };
    std::vector<Line> lines;
    std::size_t width = 5;
    for (std::size_t i = 0; i < shown; ++i) {
        const ClassRow& row = rows[i];
        Line line{cell(report.classes, row.index), {}};
        if (row.confused_with >= 0)
            line.confusion = fmt::format("{} ({})", cell(report.classes, row.confused_with),
                                         row.confused_images);
        width = std::max(width, columns_of(line.label));
        lines.push_back(std::move(line));
    }
    auto to = std::back_inserter(out);
    fmt::format_to(to, "\n{:>6}  {:<{}}{:>8}{:>10}  {}\n", "index", "class", width, "images",
                   "top-1", "most confused with");
    for (std::size_t i = 0; i < shown; ++i) {
        const ClassRow& row = rows[i];
        std::string line = fmt::format(
            "{:>6}  {:<{}}{:>8}{:>8.2f} %  {}", row.index, lines[i].label, width, row.hits.images,
            100 * share(row.hits.top1, row.hits.images), lines[i].confusion);
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + '\n';
    }
    if (shown < rows.size())
        fmt::format_to(to,
                       "{:>6}  the {} classes with the lowest accuracy of {} (--all-classes "
                       "shows all)\n",
                       "", shown, rows.size());
}

}  // namespace

std::string text_report(const Report& report, bool all_classes) {
    std::string out;
    append_figures(out, report);
    if (all_hits(report.tally).images == 0) return out;
    append_bins(out, report.tally);
    append_classes(out, report, all_classes);
    return out;
}

}  // namespace vit::tools
