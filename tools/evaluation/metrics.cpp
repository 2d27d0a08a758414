#include "tools/evaluation/metrics.h"

#include <algorithm>
#include <cmath>

namespace vit::tools {

Hits all_hits(const Tally& tally) {
    Hits all;
    for (const Hits& each : tally.classes) {
        all.images += each.images;
        all.top1 += each.top1;
        all.top5 += each.top5;
    }
    return all;
}

double share(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

double mean_class_accuracy(const Tally& tally) {
    double sum = 0;
    int classes = 0;
    for (const Hits& each : tally.classes) {
        if (each.images == 0) continue;
        sum += share(each.top1, each.images);
        ++classes;
    }
    return classes == 0 ? 0 : sum / classes;
}

double expected_calibration_error(std::span<const ConfidenceBin> bins) {
    std::int64_t images = 0;
    double error = 0;
    for (const ConfidenceBin& bin : bins) {
        images += bin.images;
        error += std::abs(static_cast<double>(bin.right) - bin.confidence);
    }
    return images == 0 ? 0 : error / static_cast<double>(images);
}

std::optional<double> negative_log_likelihood(const Tally& tally) {
    const std::int64_t images = all_hits(tally).images;
    if (images == 0 || !tally.log_likelihood_known) return {};
    return -tally.log_likelihood / static_cast<double>(images);
}

std::vector<ClassRow> class_rows(const Tally& tally) {
    std::vector<ClassRow> rows;
    auto confusion = tally.confusions.begin();
    for (std::size_t i = 0; i < tally.classes.size(); ++i) {
        if (tally.classes[i].images == 0) continue;
        ClassRow row{static_cast<std::int64_t>(i), tally.classes[i], -1, 0};
        for (; confusion != tally.confusions.end() && confusion->first.first == row.index;
             ++confusion)
            if (confusion->second > row.confused_images) {
                row.confused_with = confusion->first.second;
                row.confused_images = confusion->second;
            }
        rows.push_back(row);
    }
    return rows;
}

std::vector<ClassRow> worst_classes(const Tally& tally) {
    std::vector<ClassRow> rows = class_rows(tally);
    std::ranges::stable_sort(rows, [](const ClassRow& a, const ClassRow& b) {
        const double x = share(a.hits.top1, a.hits.images);
        const double y = share(b.hits.top1, b.hits.images);
        return x != y ? x < y : a.hits.images > b.hits.images;
    });
    return rows;
}

}  // namespace vit::tools
