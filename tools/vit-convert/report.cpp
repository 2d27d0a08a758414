#include "tools/vit-convert/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include "engine/model/model_tensors.h"
#include "tools/common/error_line.h"
#include "tools/vit-convert/image_options.h"

namespace vit::tools {

namespace {

std::string size(ImageSize s) {
    return fmt::format("{}x{}", s.height, s.width);
}

std::string_view name(Activation a) {
    constexpr std::array<std::string_view, 6> names{"gelu", "gelu_tanh", "quick_gelu",
                                                    "silu", "relu",      "tanh"};
    return names[static_cast<std::size_t>(a)];
}

std::string_view yes(bool b) {
    return b ? "yes" : "no";
}

std::ptrdiff_t used(const std::vector<ReportLine>& lines) {
    return std::count_if(lines.begin(), lines.end(), [](const ReportLine& l) { return l.used; });
}

void add_lines(std::string& out, std::string_view title, const std::vector<ReportLine>& lines) {
    const std::ptrdiff_t taken = used(lines);
    out += fmt::format("{}: {} used, {} dropped\n", title, taken,
                       static_cast<std::ptrdiff_t>(lines.size()) - taken);
    for (const ReportLine& line : lines) {
        const std::string key = escape_control(line.name), text = escape_control(line.text);
        if (!line.used)
            out += fmt::format("  {}: dropped: {}\n", key, text);
        else
            out += text.empty() ? fmt::format("  {}: used\n", key)
                                : fmt::format("  {} -> {}\n", key, text);
    }
}

constexpr std::array<std::string_view, 5> poolings{"token", "avg", "max", "avgmax", "map"};

/// The parts of a model that the plain Vision Transformer does not have.
std::vector<std::string_view> beyond_plain(const ModelConfig& c) {
    const std::array<std::pair<bool, std::string_view>, 19> parts{
        {{c.block == BlockKind::parallel_scaling, "attention and MLP in parallel"},
         {c.block == BlockKind::parallel_things, "several attentions and MLPs side by side"},
         {c.block == BlockKind::res_post_norm, "norms after attention and MLP"},
         {c.norm == Norm::rms_norm, "RMSNorm"},
         {c.pre_norm, "a norm before the blocks"},
         {c.embed_norm, "a norm of the patches"},
         {!c.patch_bias, "no patch bias"},
         {!c.position_table, "no position table"},
         {c.table_interpolation == TableInterpolation::bicubic_plain,
          "table resizing without antialiasing"},
         {c.table_interpolation == TableInterpolation::bilinear ||
              c.table_interpolation == TableInterpolation::bilinear_corners,
          "bilinear table resizing"},
         {c.glu, "a gated MLP"},
         {!c.fc1_bias, "no fc1 bias"},
         {!c.fc2_bias, "no fc2 bias"},
         {c.qk_norm, "norms of queries and keys"},
         {c.scale_attn_norm, "a norm before the projection"},
         {c.scale_mlp_norm, "a norm before fc2"},
         {c.differential_attention, "differential attention"},
         {c.pool_include_prefix, "pooling over prefix tokens"},
         {c.mean_head, "a second head on the patches' mean"}}};
    std::vector<std::string_view> out;
    for (const auto& [present, what] : parts)
        if (present) out.push_back(what);
    return out;
}

/// What int8 costs, in one line.
std::string describe(const QuantizationReport& report, std::size_t float_linears) {
    std::string out = fmt::format("  int8: {} of {} linears of the blocks",
                                  report.linears.size() - float_linears, report.linears.size());
    if (report.measured_images == 0) return out + "; --calibrate FOLDER tells what that costs\n";
    out += fmt::format(
        "; {} images calibrated, {} measured: {}' cosine to float mean {:.5f}, worst "
        "{:.5f}",
        report.calibrated_images, report.measured_images, report.compared, report.mean_cosine,
        report.worst_cosine);
    if (report.top1_agreement)
        out += fmt::format(", same top-1 {:.2f} %", 100 * *report.top1_agreement);
    if (report.float_accuracy && report.int8_accuracy)
        out += fmt::format(", accuracy {:.2f} % (float {:.2f} %)", 100 * *report.int8_accuracy,
                           100 * *report.float_accuracy);
    return out + "\n";
}

}  // namespace

std::string summary(const Converted& model, const std::string& output) {
    const ModelConfig& c = model.header.config;
    std::int64_t parameters = 0;
    for (const TensorSpec& tensor : required_tensors(c))
        parameters += std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::int64_t{1},
                                      std::multiplies<>());
    const std::ptrdiff_t taken = used(model.tensor_report);
    std::string out = fmt::format(
        "{}: {}, {} images, {} classes, {:.2f} M parameters; {} tensors used, {} dropped; {}\n",
        escape_control(output), escape_control(c.architecture), size(c.image_size), c.num_classes,
        static_cast<double>(parameters) / 1e6, taken,
        static_cast<std::ptrdiff_t>(model.tensor_report.size()) - taken,
        model.header.self_test ? "self-test: " + model.header.self_test->made_by : "no self-test");
    out += fmt::format("  images: {}\n", describe(model.header.preprocessing));
    if (model.header.quantization)
        out += describe(*model.header.quantization, model.header.float_linears.size());
    for (const std::string& note : model.header.provenance.notes)
        if (!note.starts_with("dropped ") && !note.starts_with("left out "))
            out += fmt::format("  {}\n", escape_control(note));
    return out;
}

std::string inspection(const Converted& model, const Checkpoint& checkpoint) {
    const ModelConfig& c = model.header.config;
    std::string out = fmt::format("{}: {}, {} tensors\n", escape_control(checkpoint.path.string()),
                                  checkpoint.container, checkpoint.tensors.size());
    out += fmt::format("architecture: {}\n", escape_control(c.architecture));
    out += fmt::format("  images {}, {} channels, patches {}x{}\n", size(c.image_size), c.in_chans,
                       c.patch_height, c.patch_width);
    out += fmt::format("  width {}, {} blocks, {} heads of {}, MLP width {}\n", c.embed_dim,
                       c.depth, c.heads, c.head_dim, c.mlp_dim);
    out += fmt::format(
        "  class token {}, distillation token {}, {} registers, position table for prefix tokens "
        "{}\n",
        yes(c.class_token), yes(c.distillation_token), c.register_tokens, yes(!c.no_embed_class));
    out += fmt::format("  {}, norm eps {}, qkv bias {}, projection bias {}, layer scale {}\n",
                       name(c.activation), c.norm_eps, yes(c.qkv_bias), yes(c.proj_bias),
                       yes(c.layer_scale));
    out += fmt::format(
        "  pooling {}, final norm {}, norm after pooling {}, representation {}, {} classes\n",
        poolings[static_cast<std::size_t>(c.pooling)], yes(c.final_norm), yes(c.fc_norm),
        c.representation_size, c.num_classes);
    if (const std::vector<std::string_view> more = beyond_plain(c); !more.empty())
        out += fmt::format("  with {}\n", fmt::join(more, ", "));
    out += fmt::format("preprocessing: {}\n", describe(model.header.preprocessing));
    out += fmt::format("labels: {}\n", model.header.labels.empty()
                                           ? std::string("none")
                                           : std::to_string(model.header.labels.size()));
    out += fmt::format("notes: {}\n", model.header.provenance.notes.size());
    for (const std::string& note : model.header.provenance.notes)
        out += fmt::format("  {}\n", escape_control(note));
    add_lines(out, "configuration keys", model.keys);
    add_lines(out, "tensors", model.tensor_report);
    return out;
}

}  // namespace vit::tools
