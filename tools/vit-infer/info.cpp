#include "tools/vit-infer/info.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "engine/model/preprocessing_names.h"
#include "tools/common/error_line.h"
#include "tools/common/named_values.h"
#include "tools/common/precision_names.h"
#include "vit/reports.h"

namespace vit::infer {

namespace {

std::string_view name(Crop crop) {
    return tools::name_of(crop, crop_mode_names);
}

std::string_view name(Filter filter) {
    return tools::name_of(filter, interpolation_names);
}

std::string percent(double share) {
    return fmt::format("{:.2f} %", 100 * share);
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

std::string info_text(const Model& model) {
    const ModelInfo& info = model.info();
    const FileInfo file = file_info(model);
    const Transform& t = info.transform;
    std::string out;
    const auto line = [&](std::string_view key, const std::string& value) {
        fmt::format_to(std::back_inserter(out), "{:<14}{}\n", key, tools::escape_control(value));
    };
    line("architecture", info.architecture);
    line("input", fmt::format("{} x {} x {}", info.channels, info.height, info.width));
    line("tokens", fmt::format("{} of {}", info.tokens, info.embed_dim));
    line("features", fmt::format("{}", info.features));
    line("classes", !info.classifies ? "none; the model gives features"
                                     : fmt::format("{}{}", info.classes,
                                                   info.labels.empty() ? ", no labels" : ""));
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
    line("source", file.source);
    if (!file.sha256.empty()) line("SHA-256", file.sha256);
    line("converted by", file.converter);
    line("stored",
         fmt::format("{}, {:.1f} MB", file.stored, static_cast<double>(file.bytes) * 1e-6));
    line("self-test", file.self_test.empty() ? "none" : "expected logits by " + file.self_test);
    for (std::size_t i = 0; i < file.notes.size(); ++i) line(i == 0 ? "notes" : "", file.notes[i]);
    if (const auto report = quantization_report(model)) describe(*report, info.float_linears, line);
    return out;
}

std::string info_json(const Model& model) {
    const ModelInfo& info = model.info();
    const FileInfo file = file_info(model);
    const Transform& t = info.transform;
    nlohmann::ordered_json json{
        {"architecture", info.architecture},
        {"input", {info.channels, info.height, info.width}},
        {"tokens", info.tokens},
        {"prefix_tokens", info.prefix_tokens},
        {"embed_dim", info.embed_dim},
        {"features", info.features},
        {"classes", info.classifies ? info.classes : 0},
        {"labels", info.labels},
        {"parameters", info.parameters},
        {"gflop", info.gflop_per_image},
        {"gflop_for_logits", info.gflop_executed_per_image},
        {"preprocessing",
         {{"crop_mode", name(t.crop)},
          {"interpolation", name(t.filter)},
          {"crop_pct", t.crop_pct},
          {"mean", t.mean},
          {"std", t.std}}},
        {"precision", tools::name_of(info.precision, tools::precision_names)},
        {"packed_in_file", info.packed_in_file},
        {"threads", info.threads},
        {"kernels", info.isa},
        {"source", file.source},
        {"sha256", file.sha256},
        {"converted_by", file.converter},
        {"stored", file.stored},
        {"bytes", file.bytes},
        {"self_test", file.self_test},
        {"notes", file.notes}};
    if (const auto report = quantization_report(model)) {
        nlohmann::ordered_json& int8 = json["int8"];
        int8 = {{"linears", report->linears},
                {"errors", report->errors},
                {"float_linears", info.float_linears},
                {"calibrated_images", report->calibrated_images},
                {"measured_images", report->measured_images}};
        if (report->measured_images > 0) {
            int8["compared"] = report->compared;
            int8["mean_cosine"] = report->mean_cosine;
            int8["worst_cosine"] = report->worst_cosine;
        }
        if (report->top1_agreement) int8["top1_agreement"] = *report->top1_agreement;
        if (report->float_accuracy) int8["float_accuracy"] = *report->float_accuracy;
        if (report->int8_accuracy) int8["int8_accuracy"] = *report->int8_accuracy;
    }
    return json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace vit::infer
