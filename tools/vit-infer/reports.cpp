#include "vit/reports.h"
#include "tools/vit-infer/reports.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <string_view>
#include <vector>

#include "tools/common/error_line.h"
#include "tools/common/named_values.h"
#include "tools/common/precision_names.h"

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

std::string percent(double share) {
    return fmt::format("{:.2f} %", 100 * share);
}

std::string mean_and_worst(const std::vector<double>& cosines) {
    const double sum = std::accumulate(cosines.begin(), cosines.end(), 0.0);
    return fmt::format("mean {:.5f}, worst {:.5f}", sum / static_cast<double>(cosines.size()),
                       *std::ranges::min_element(cosines));
}

std::string describe(const QuantizationReplay& replay) {
    return fmt::format("{} image{} of the file {}: cosine to float {}; when converted {}",
                       replay.cosines.size(), replay.cosines.size() == 1 ? "" : "s",
                       replay.passed ? "replayed" : "failed", mean_and_worst(replay.cosines),
                       mean_and_worst(replay.recorded));
}

/// The lines of --info about int8.
template <class Line>
void describe(const QuantizationReport& report, const std::vector<std::string>& float_linears,
              Line line) {
    line("int8", fmt::format("{} of {} linears of the blocks",
                             report.linears.size() - float_linears.size(), report.linears.size()));
    if (report.measured_images > 0) {
        std::string text = fmt::format(
            "on {} images: {}' cosine to float mean {:.5f}, worst {:.5f}", report.measured_images,
            report.compared, report.mean_cosine, report.worst_cosine);
        if (report.top1_agreement)
            text += fmt::format(", same top-1 {}", percent(*report.top1_agreement));
        if (report.float_accuracy && report.int8_accuracy)
            text += fmt::format(", accuracy {} (float {})", percent(*report.int8_accuracy),
                                percent(*report.float_accuracy));
        line("int8 loss", text);
        line("calibration", fmt::format("{} other images; relative errors of the linears' outputs:",
                                        report.calibrated_images));
    } else {
        line("calibration", "no images; relative errors of the linears' weights:");
    }
    for (std::size_t i = 0; i < report.linears.size(); ++i) {
        const bool is_float =
            std::ranges::find(float_linears, report.linears[i]) != float_linears.end();
        line("", fmt::format("{:>7}  {}{}", percent(report.errors[i]), report.linears[i],
                             is_float ? "  stays in float: one of the largest errors" : ""));
    }
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
    line("work", fmt::format("{:.2f} GFLOP an image, {:.2f} of them done for logits alone",
                             info.gflop_per_image, info.gflop_executed_per_image));
    line("preprocessing", fmt::format("{} {}, crop_pct {}, mean {} {} {}, std {} {} {}",
                                      name(t.crop), name(t.filter), t.crop_pct, t.mean[0],
                                      t.mean[1], t.mean[2], t.std[0], t.std[1], t.std[2]));
    line("precision", std::string(tools::name_of(info.precision, tools::precision_names)));
    line("weights", info.packed_in_file ? "packed in the file" : "packed when loaded");
    line("threads", fmt::format("{}", info.threads));
    line("kernels", info.isa);
    if (const auto report = quantization_report(model)) describe(*report, info.float_linears, line);
    return out;
}

Verdict verify_report(const Model& model) {
    const SelfTestResult result = self_test(model);
    if (result.packed_fits == false)
        return {false,
                "the packed weights were not made of the tensors in this file, which has been "
                "changed since; convert again with --pack"};
    if (!result.present)
        return {false, "the model file carries no self-test; convert again without --no-self-test"};
    const std::optional<QuantizationReplay> replay = replay_quantization(model);
    return {result.passed && (!replay || replay->passed),
            fmt::format("self-test {}: logits differ by {:.2e} (relative L2), {:.0e} allowed; "
                        "expected logits by {}{}{}",
                        result.passed ? "passed" : "failed", result.relative_l2, result.tolerance,
                        tools::escape_control(result.made_by),
                        result.packed_fits ? "; packed weights fit the file's tensors" : "",
                        replay ? "; " + describe(*replay) : "")};
}

}  // namespace vit::infer
