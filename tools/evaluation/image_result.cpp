#include "tools/evaluation/image_result.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vit::tools {

std::optional<ImageResult> result_of_logits(std::span<const float> logits, std::int64_t label) {
    if (!std::ranges::all_of(logits, [](float x) { return std::isfinite(x); })) return {};
    std::vector<std::int64_t> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    const auto at = [&](std::int64_t index) { return logits[static_cast<std::size_t>(index)]; };
    const auto end =
        order.begin() + static_cast<std::ptrdiff_t>(std::min(top_classes, order.size()));
    std::partial_sort(order.begin(), end, order.end(), [&](std::int64_t a, std::int64_t b) {
        return at(a) != at(b) ? at(a) > at(b) : a < b;
    });
    const double largest = at(order.front());
    double sum = 0;
    for (const float each : logits) sum += std::exp(each - largest);
    ImageResult result;
    result.best.assign(order.begin(), end);
    result.confidence = 1 / sum;
    result.log_likelihood = at(label) - largest - std::log(sum);
    return result;
}

}  // namespace vit::tools
