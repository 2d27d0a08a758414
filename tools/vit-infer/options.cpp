#include "tools/vit-infer/options.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

#include "engine/base/threads.h"
#include "engine/model/preprocessing_names.h"
#include "tools/common/channel_values.h"
#include "tools/common/error_line.h"
#include "tools/common/image_size_arg.h"
#include "tools/common/named_values.h"
#include "tools/common/output_check.h"
#include "tools/common/precision_names.h"
#include "tools/common/value_checks.h"
#include "tools/manual/parser.h"
#include "tools/vit-infer/output_names.h"
#include "tools/vit-infer/text.h"

namespace vit::infer {

namespace {

[[noreturn]] void refuse(std::string message) {
    throw Error(ErrorKind::usage, std::move(message));
}

void check_evaluation(const Options& options) {
    if (!options.evaluates()) {
        if (options.evaluation != tools::EvaluationOptions{})
            refuse(
                "--class-map, --real-labels, --confusion, --reliability and --all-classes need "
                "--evaluate SOURCE");
        return;
    }
    tools::check(options.evaluation);
    if (!options.inputs.empty()) refuse("--evaluate SOURCE takes no other INPUT");
    if (options.resume || options.shard.count > 1 || !options.classes.empty() || options.look.any())
        refuse(
            "--evaluate takes no --resume, --shard or --classes, and draws no pictures of images; "
            "run the images with -o FILE.jsonl, then evaluate the records: vit-eval FILE.jsonl "
            "SOURCE");
}

/// Checks combinations of options, which CLI11 cannot check.
void check(const Options& options) {
    check_evaluation(options);
    if (options.inputs.empty() && !options.asks_for_report() && !options.evaluates())
        refuse(
            "no INPUT: name image files, folders, a .npy file, or - for a list on standard input");
    check(options.look);
    if (options.inputs.empty() && !options.evaluates() &&
        !(options.logits.empty() && options.features.empty() && options.tokens.empty() &&
          options.output.empty() && options.names.empty() &&
          (options.report.empty() || options.report_is_of_profile()) && !options.look.any()))
        refuse("an output file was named, but no INPUT was given");
    if (options.inputs.empty() && !options.classes.empty())
        refuse("--classes needs INPUT, the images to classify");
    if (options.resume && options.inputs.empty()) refuse("--resume: name the same inputs again");
    if (options.resume && !options.output.empty() && options.format != Format::jsonl)
        refuse("--resume: expected records in jsonl; name -o FILE.jsonl");
    if (options.resume && !options.report.empty())
        refuse("--resume: a page needs all images; leave out --report");
    if (options.resume && options.output.empty() && options.logits.empty() &&
        options.features.empty() && options.tokens.empty())
        refuse("--resume: expected an output file, such as -o FILE.jsonl or --features FILE.npy");
    if (options.look.any()) {
        if (options.resume) refuse("--resume: a run that draws pictures cannot be continued");
        check_array_name("--attention-npy", options.look.attention_npy);
    }
    check_array_name("--logits", options.logits);
    check_array_name("--features", options.features);
    check_array_name("--tokens", options.tokens);
    const std::vector<std::filesystem::path> named = options.outputs();
    for (std::size_t i = 0; i < named.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (tools::same_file(named[i], named[j]))
                refuse(fmt::format("two outputs go to the same file {}", named[i].string()));
}

/// Reads I/N.
Shard parse_shard(std::string_view text) {
    Shard shard;
    const char* const end = text.data() + text.size();
    const auto index = std::from_chars(text.data(), end, shard.index);
    const bool has_slash = index.ec == std::errc() && index.ptr != end && *index.ptr == '/';
    const auto count = std::from_chars(has_slash ? index.ptr + 1 : end, end, shard.count);
    if (!has_slash || count.ec != std::errc() || count.ptr != end || shard.index < 1 ||
        shard.index > shard.count)
        refuse(
            fmt::format("--shard: expected I/N with I from 1 to N, such as 3/8, found {}", text));
    --shard.index;
    return shard;
}

constexpr std::array format_names{std::pair(Format::text, "text"), std::pair(Format::json, "json"),
                                  std::pair(Format::jsonl, "jsonl"), std::pair(Format::csv, "csv")};
constexpr std::array output_type_names{std::pair(OutputType::prob, "prob"),
                                       std::pair(OutputType::logit, "logit")};
constexpr std::array graph_names{std::pair(GraphFormat::text, "text"),
                                 std::pair(GraphFormat::dot, "dot")};

}  // namespace

ParsedOptions parse_options(int argc, const char* const* argv) {
    Options options;
    tools::Parser parser(tool_text(), version());

    std::string model, format, type = "prob", output, logits, features, tokens, names, classes;
    std::string report, precision, image_size, crop, filter, mean, std, graph, shard, evaluate;
    double crop_pct = 0;

    parser.argument("MODEL", model)->required();
    parser.argument("INPUT", options.inputs);
    parser.flag("--null", options.nul_separated);
    parser.flag("--resume", options.resume);
    parser.option("--shard", shard);
    parser.option("--topk", options.topk)->check(tools::number_within(1, 1'000'000'000));
    parser.option("--format", format)->check(tools::one_of(format_names));
    parser.option("--output-type", type)->check(tools::one_of(output_type_names));
    parser.option("--output", output);
    parser.option("--logits", logits);
    parser.option("--features", features);
    parser.option("--tokens", tokens);
    parser.option("--names", names);
    parser.option("--report", report);
    parser.option("--classes", classes);
    parser.option("--threads", options.load.threads)->check(tools::number_within(0, most_threads));
    parser.option("--batch-size", options.batch_size)->check(tools::number_within(1, 65536));
    parser.option("--precision", precision)->check(tools::one_of(tools::precision_names));
    parser.option("--img-size", image_size);
    parser.option("--crop-pct", crop_pct)->check(tools::number_within(0.01, 1.0));
    parser.option("--crop-mode", crop)->check(tools::one_of(crop_mode_names));
    parser.option("--interpolation", filter)->check(tools::one_of(interpolation_names));
    parser.option("--mean", mean);
    parser.option("--std", std);
    parser.flag("--exif", options.decode.exif);
    parser.option("--max-pixels", options.decode.max_pixels)
        ->check(tools::number_within(std::uint64_t{1}, std::uint64_t{1} << 48));
    parser.option("--evaluate", evaluate);
    tools::add_evaluation_options(parser, options.evaluation);
    LookArguments look;
    look.add_to(parser);
    parser.flag("--info", options.info);
    parser.flag("--verify", options.verify);
    parser.flag("--profile", options.profile);
    parser.flag_or_value("--print-graph", graph, "text")->check(tools::one_of(graph_names));
    parser.flag("--built-graph", options.built_graph);

    if (const auto status = parser.parse(argc, argv)) return {{}, *status};

    try {
        options.model = model;
        if (output != "-") options.output = output;
        options.logits = logits;
        options.features = features;
        options.tokens = tokens;
        options.names = names;
        options.report = report;
        options.classes = classes;
        options.evaluation.source = evaluate;
        const std::optional<Format> by_name = format_of(options.output);
        if (!format.empty())
            options.format = tools::value_of(format, format_names);
        else if (by_name)
            options.format = *by_name;
        if (by_name && *by_name != options.format)
            refuse(fmt::format("--format {} and -o {} name different formats; leave one out",
                               format, output));
        options.output_type = tools::value_of(type, output_type_names);
        if (!precision.empty())
            options.load.precision = tools::value_of(precision, tools::precision_names);
        if (!image_size.empty()) {
            const tools::HeightWidth size = tools::parse_image_size("--img-size", image_size);
            options.load.height = size.height;
            options.load.width = size.width;
        }
        if (crop_pct > 0) options.crop_pct = crop_pct;
        if (!crop.empty()) options.crop = tools::value_of(crop, crop_mode_names);
        if (!filter.empty()) options.filter = tools::value_of(filter, interpolation_names);
        if (parser.has("--mean")) options.mean = tools::parse_mean(mean);
        if (parser.has("--std")) options.std = tools::parse_std(std);
        if (!graph.empty()) options.graph = tools::value_of(graph, graph_names);
        options.look = look.parsed();
        if (parser.has("--shard")) options.shard = parse_shard(shard);
        check(options);
    } catch (const Error& error) {
        std::fprintf(
            stderr, "%s\n",
            tools::error_line("vit-infer", error.what(), "--help lists the options").c_str());
        return {{}, tools::exit_status(error.kind())};
    }
    return {std::move(options), 0};
}

}  // namespace vit::infer
