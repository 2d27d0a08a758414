#include "tools/evaluation/evaluation.h"

#include <fmt/format.h>

#include <utility>

#include "tools/common/image_files.h"
#include "tools/evaluation/metrics.h"
#include "vit/error.h"

namespace vit::tools {

namespace {

void write(AtomicFile& file, const std::string& text) {
    file.write(std::as_bytes(std::span(text)));
    file.commit();
}

}  // namespace

Evaluation::Evaluation(EvaluationOptions options, ClassNames classes)
    : options_(std::move(options)) {
    report_.classes = std::move(classes);
    truth_ = read_ground_truth(options_.source, report_.classes, options_.class_map);
    if (!options_.real_labels.empty()) {
        real_ = read_real_labels(options_.real_labels, report_.classes);
        for (const auto& file : truth_.files) real_labels_of(*real_, file);
    }
    if (lower_extension(options_.confusion) == ".csv" && report_.classes.count > most_csv_classes)
        throw Error(ErrorKind::usage,
                    fmt::format("--confusion: expected at most {} classes for a table, found {}; "
                                "write an .svg, or use --format json, which lists all confusions",
                                most_csv_classes, report_.classes.count));
    report_.tally = make_tally(report_.classes.count, real_.has_value());
    if (!options_.confusion.empty()) confusion_.emplace(options_.confusion);
    if (!options_.reliability.empty()) reliability_.emplace(options_.reliability);
}

void Evaluation::add(std::size_t image, const std::optional<ImageResult>& result) {
    if (!result) {
        ++report_.tally.failed;
        return;
    }
    add_result(
        report_.tally, *result, truth_.classes[image],
        real_ ? real_labels_of(*real_, truth_.files[image]) : std::span<const std::int64_t>());
}

std::string Evaluation::finish(bool json, std::optional<double> seconds) {
    if (seconds)
        report_.images_per_second = static_cast<double>(all_hits(report_.tally).images) / *seconds;
    if (confusion_)
        write(*confusion_, lower_extension(options_.confusion) == ".csv" ? confusion_csv(report_)
                                                                         : confusion_svg(report_));
    if (reliability_) write(*reliability_, reliability_svg(report_));
    return json ? json_report(report_) : text_report(report_, options_.all_classes);
}

}  // namespace vit::tools
