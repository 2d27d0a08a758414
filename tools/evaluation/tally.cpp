#include "tools/evaluation/tally.h"

#include <algorithm>
#include <cmath>

namespace vit::tools {

namespace {

bool contains(std::span<const std::int64_t> classes, std::int64_t index) {
    return std::ranges::find(classes, index) != classes.end();
}

std::size_t bin_of(double confidence) {
    const double scaled = std::ceil(confidence * static_cast<double>(confidence_bins)) - 1;
    return static_cast<std::size_t>(std::clamp(scaled, 0.0, confidence_bins - 1.0));
}

}  // namespace

Tally make_tally(std::int64_t num_classes, bool with_real) {
    Tally tally;
    tally.classes.resize(static_cast<std::size_t>(num_classes));
    if (with_real) tally.real.emplace();
    return tally;
}

void add_result(Tally& tally, const ImageResult& result, std::int64_t label,
                std::span<const std::int64_t> real) {
    const std::int64_t predicted = result.best.front();
    const bool right = predicted == label;
    Hits& hits = tally.classes[static_cast<std::size_t>(label)];
    ++hits.images;
    hits.top1 += right ? 1 : 0;
    hits.top5 += contains(result.best, label) ? 1 : 0;
    if (!right) ++tally.confusions[{label, predicted}];
    if (result.best.size() < std::min(top_classes, tally.classes.size())) tally.top5_known = false;

    ConfidenceBin& bin = tally.bins[bin_of(result.confidence)];
    ++bin.images;
    bin.right += right ? 1 : 0;
    bin.confidence += result.confidence;
    if (result.log_likelihood)
        tally.log_likelihood += *result.log_likelihood;
    else
        tally.log_likelihood_known = false;

    if (!tally.real || real.empty()) return;
    ++tally.real->images;
    tally.real->top1 += contains(real, predicted) ? 1 : 0;
    tally.real->top5 +=
        std::ranges::any_of(result.best, [&](std::int64_t each) { return contains(real, each); })
            ? 1
            : 0;
}

}  // namespace vit::tools
