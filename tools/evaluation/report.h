// What an evaluation tells: a summary for people, JSON, a table and pictures.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/evaluation/class_names.h"
#include "tools/evaluation/tally.h"

namespace vit::tools {

struct Report {
    Tally tally;
    ClassNames classes;
    std::optional<double> images_per_second;  ///< of the whole run, decoding included
    std::int64_t missing = 0;                 ///< images of SOURCE that have no record
};

/// The summary: accuracies, calibration, and a table of classes, the worst first. `all_classes`: of
/// all of them, and not of 20 at most.
std::string text_report(const Report& report, bool all_classes);

/// One JSON object with everything that the other functions tell.
std::string json_report(const Report& report);

/// The largest number of classes of a confusion_csv().
inline constexpr std::int64_t most_csv_classes = 5000;

/// The confusion matrix as CSV: a row for each true class, a column for each predicted class, and
/// numbers of images. The first row and column have the labels.
std::string confusion_csv(const Report& report);

/// The confusion matrix as SVG. Of many classes it shows those that are confused most, and the
/// others together.
std::string confusion_svg(const Report& report);

/// A reliability diagram as SVG: accuracy over confidence, and the number of images in each bin.
std::string reliability_svg(const Report& report);

}  // namespace vit::tools
