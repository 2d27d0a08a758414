#include "tools/vit-infer/profile_run.h"

#include <algorithm>
#include <chrono>

#include "tools/common/peak.h"

namespace vit::infer {

namespace {

/// Averages at least three runs that take at least half a second together, after one warm-up run.
Profile mean_profile(const Model& model, std::span<const float> images, std::int64_t count,
                     int& runs) {
    using Clock = std::chrono::steady_clock;
    (void)profile(model, images, count);
    Profile sum = profile(model, images, count);
    runs = 1;
    const auto start = Clock::now();
    while (runs < 3 || Clock::now() - start < std::chrono::milliseconds(500)) {
        const Profile more = profile(model, images, count);
        for (std::size_t i = 0; i < sum.nodes.size(); ++i)
            sum.nodes[i].milliseconds += more.nodes[i].milliseconds;
        sum.waiting_milliseconds += more.waiting_milliseconds;
        sum.wall_milliseconds += more.wall_milliseconds;
        ++runs;
    }
    for (NodeProfile& node : sum.nodes) node.milliseconds /= runs;
    sum.waiting_milliseconds /= runs;
    sum.wall_milliseconds /= runs;
    return sum;
}

}  // namespace

void add(NodeProfile& sum, const NodeProfile& node) {
    sum.milliseconds += node.milliseconds;
    sum.gflop += node.gflop;
    sum.mbytes += node.mbytes;
}

double rate(double work, double milliseconds) {
    return milliseconds > 0 ? work / milliseconds * 1e3 : 0;
}

NodeProfile MeasuredProfile::all_nodes() const {
    NodeProfile sum;
    for (const NodeProfile& node : profile.nodes) add(sum, node);
    return sum;
}

MeasuredProfile measure_profile(const Model& model, std::span<const float> images,
                                std::int64_t count) {
    const ModelInfo& info = model.info();
    const tools::Arithmetic arithmetic = tools::arithmetic_of(info.precision, info.isa);
    const auto measure = [&] { return tools::measure_peak(arithmetic, info.threads).value_or(0); };
    MeasuredProfile result;
    result.images = count;
    result.threads = info.threads;
    result.instruction = tools::instruction_name(arithmetic);
    result.nominal_gflop = info.gflop_per_image * static_cast<double>(count);
    const double peak_before = measure();
    result.profile = mean_profile(model, images, count, result.runs);
    result.peak = std::max(peak_before, measure());
    return result;
}

}  // namespace vit::infer
