#include <fmt/format.h>

#include <iterator>

#include "tools/evaluation/csv_table.h"
#include "tools/evaluation/report.h"

namespace vit::tools {

std::string confusion_csv(const Report& report) {
    const Tally& tally = report.tally;
    const auto classes = static_cast<std::int64_t>(tally.classes.size());
    std::string out = "index,class";
    auto to = std::back_inserter(out);
    for (std::int64_t i = 0; i < classes; ++i)
        fmt::format_to(to, ",{}", csv_field(label_of(report.classes, i)));
    auto confusion = tally.confusions.begin();
    for (std::int64_t i = 0; i < classes; ++i) {
        fmt::format_to(to, "\n{},{}", i, csv_field(label_of(report.classes, i)));
        for (std::int64_t j = 0; j < classes; ++j) {
            std::int64_t images = 0;
            if (i == j) {
                images = tally.classes[static_cast<std::size_t>(i)].top1;
            } else if (confusion != tally.confusions.end() && confusion->first == std::pair(i, j)) {
                images = confusion->second;
                ++confusion;
            }
            fmt::format_to(to, ",{}", images);
        }
    }
    return out + '\n';
}

}  // namespace vit::tools
