#include "tools/vit-infer/reports.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <random>
#include <string_view>
#include <vector>

#include "tools/common/error_line.h"
#include "tools/common/peak.h"

namespace vit::infer {

namespace {

std::string_view name(Crop crop) {
    constexpr std::string_view names[]{"center", "squash", "border"};
    return names[static_cast<std::size_t>(crop)];
}

std::string_view name(Filter filter) {
    constexpr std::string_view names[]{"nearest", "bilinear", "bicubic", "lanczos"};
    return names[static_cast<std::size_t>(filter)];
}

double share(double part, double whole) {
    return whole > 0 ? 100 * part / whole : 0;
}

/// Work done in a time, per second; 0 where the clock saw nothing.
double rate(double work, double milliseconds) {
    return milliseconds > 0 ? work / milliseconds * 1e3 : 0;
}

/// Runs until the sums stand on at least half a second, after one that warms up.
std::vector<NodeProfile> mean_profile(const Model& model, std::span<const float> images,
                                      std::int64_t count, int& runs) {
    using Clock = std::chrono::steady_clock;
    (void)model.profile(images, count);
    std::vector<NodeProfile> sum = model.profile(images, count);
    runs = 1;
    const auto start = Clock::now();
    while (runs < 3 || Clock::now() - start < std::chrono::milliseconds(500)) {
        const std::vector<NodeProfile> more = model.profile(images, count);
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i].milliseconds += more[i].milliseconds;
        ++runs;
    }
    for (NodeProfile& node : sum) node.milliseconds /= runs;
    return sum;
}

}  // namespace

std::string info_report(const Model& model) {
    const ModelInfo& info = model.info();
    const Transform& t = info.transform;
    std::string out;
    const auto line = [&](std::string_view key, const std::string& value) {
        fmt::format_to(std::back_inserter(out), "{:<14}{}\n", key, tools::escape_control(value));
    };
    line("architecture", info.architecture);
    line("input", fmt::format("{} x {} x {}", info.channels, info.height, info.width));
    line("tokens", fmt::format("{} of {}", info.tokens, info.embed_dim));
    line("features", fmt::format("{}", info.features));
    line("classes", fmt::format("{}{}", info.classes, info.labels.empty() ? ", no labels" : ""));
    line("parameters", fmt::format("{:.2f} M", static_cast<double>(info.parameters) * 1e-6));
    line("work", fmt::format("{:.2f} GFLOP an image", info.gflop_per_image));
    line("preprocessing", fmt::format("{} {}, crop_pct {}, mean {} {} {}, std {} {} {}",
                                      name(t.crop), name(t.filter), t.crop_pct, t.mean[0],
                                      t.mean[1], t.mean[2], t.std[0], t.std[1], t.std[2]));
    line("precision", info.precision == Precision::bf16 ? "bf16" : "f32");
    line("threads", fmt::format("{}", info.threads));
    line("kernels", info.isa);
    return out;
}

Verdict verify_report(const Model& model) {
    const SelfTestResult result = model.self_test();
    if (!result.present)
        return {false, "the model file carries no self-test; convert again without --no-self-test"};
    return {result.passed,
            fmt::format("self-test {}: logits differ by {:.2e} (relative L2), {:.0e} allowed; "
                        "expected logits by {}",
                        result.passed ? "passed" : "failed", result.relative_l2, result.tolerance,
                        tools::escape_control(result.made_by))};
}

std::string profile_report(const Model& model, std::span<const float> images, std::int64_t count) {
    int runs = 0;
    const std::vector<NodeProfile> nodes = mean_profile(model, images, count, runs);
    const double peak = tools::measure_fma_peak(model.info().threads);
    NodeProfile total;
    std::size_t width = 4;
    for (const NodeProfile& node : nodes) {
        total.milliseconds += node.milliseconds;
        total.gflop += node.gflop;
        total.mbytes += node.mbytes;
        width = std::max(width, node.name.size());
    }

    std::string out;
    auto to = std::back_inserter(out);
    fmt::format_to(to, "{} image{}, {} thread{}, mean of {} runs; measured peak {:.1f} GFLOP/s\n\n",
                   count, count == 1 ? "" : "s", model.info().threads,
                   model.info().threads == 1 ? "" : "s", runs, peak);
    fmt::format_to(to, "{:<{}}  {:<14} {:>9} {:>7} {:>9} {:>9} {:>7} {:>8}\n", "node", width,
                   "kind", "ms", "time", "GFLOP", "GFLOP/s", "peak", "GB/s");
    const auto row = [&](const NodeProfile& node) {
        const double speed = rate(node.gflop, node.milliseconds);
        fmt::format_to(to,
                       "{:<{}}  {:<14} {:>9.3f} {:>5.1f} % {:>9.3f} {:>9.1f} {:>5.1f} % {:>8.1f}\n",
                       node.name, width, node.kind, node.milliseconds,
                       share(node.milliseconds, total.milliseconds), node.gflop, speed,
                       share(speed, peak), rate(node.mbytes * 1e-3, node.milliseconds));
    };
    for (const NodeProfile& node : nodes) row(node);
    total.name = "sum";
    row(total);
    fmt::format_to(to, "\n{:.2f} ms an image\n", total.milliseconds / static_cast<double>(count));
    return out;
}

std::vector<float> measuring_images(const ModelInfo& info, std::int64_t count) {
    std::vector<float> images(
        static_cast<std::size_t>(count * info.channels * info.height * info.width));
    std::mt19937 bits(1);
    for (float& each : images)
        each = static_cast<float>(static_cast<std::int32_t>(bits())) * 0x1p-31f;
    return images;
}

}  // namespace vit::infer
