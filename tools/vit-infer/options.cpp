#include "tools/vit-infer/options.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <utility>

#include "engine/model/preprocessing_names.h"
#include "tools/common/command_line.h"
#include "tools/common/error_line.h"
#include "tools/common/image_size_arg.h"
#include "tools/common/named_values.h"
#include "tools/common/output_check.h"
#include "tools/common/precision_names.h"

namespace vit::infer {

namespace {

constexpr const char* help = R"(vit-infer MODEL.vit INPUT... [options]

Classifies images with a Vision Transformer. Prints one record per input, in input order; a bad
input gets a record with an error, and the rest goes on.

INPUT: image files (JPEG, PNG, WebP); folders (recursive, natural order); a .npy file that holds
preprocessed images, float32 [N, 3, H, W]; or - for a list of paths on standard input.

Results
  -k, --topk N             classes in a record (5)
  --format NAME            text, json, jsonl or csv (text)
  --output-type NAME       prob or logit, shown in text and csv (prob)
  -o, --output FILE        records go there, whole or not at all, instead of standard output
  --logits FILE.npy        all logits, float32 [N, classes]; rows in input order, NaN where one failed
  --features FILE.npy      the pooled vector before the head, [N, D]
  --tokens FILE.npy        all tokens after the final norm, [N, T, D]
  -0, --null               paths in the list on standard input end with NUL, not newline

Speed
  -t, --threads N          threads (all usable cores)
  -b, --batch-size N       images in one run (16 a thread; 2 with --tokens)
  --precision NAME         f32, bf16 or int8 (what the model file was converted for, f32 as a rule)

Preprocessing (default: what the model file says)
  --img-size N|HxW         input size; another one resizes the position table
  --crop-pct X             part of the resized image that is kept, above 0 and up to 1
  --crop-mode NAME         center, squash or border
  --interpolation NAME     bilinear, bicubic, nearest or lanczos
  --mean R,G,B  --std R,G,B
  --exif                   honour the EXIF orientation (off, as in timm)
  --max-pixels N           refuse larger images (89478485)

Evaluation (instead of INPUT)
  --evaluate SOURCE        compare with the true classes: a folder for each class, or a CSV of
                           file,label; prints accuracies and calibration, as JSON with --format json
  --class-map FILE         names of the class folders, a class a line, or lines of NAME INDEX
  --real-labels FILE       also count against ImageNet's reassessed labels (real.json)
  --confusion FILE         confusion matrix, .csv or .svg
  --reliability FILE.svg   reliability diagram
  --all-classes            show all classes, not only the 20 with the lowest accuracy

About the model (INPUT may be left out)
  --info                   what the model is
  --verify                 run the model file's self-test here
  --profile                per node: time, GFLOP/s, share of this machine's measured peak
  --print-graph[=dot]      the graph that runs, as text or for Graphviz
  --built-graph            with --print-graph: as it was before the first pass

  -h, --help               this text
  --version                name and version

Exit status: 0 all well, 1 some inputs failed, 2 wrong usage, 3 the model was refused, 74 reading
or writing failed, 130/143 interrupted.

Examples
  vit-infer model.vit cat.jpg
  vit-infer model.vit photos/ --format jsonl -o labels.jsonl
  find . -name '*.jpg' -print0 | vit-infer model.vit - --null -k 1 --format csv
  vit-infer model.vit photos/ --features features.npy
)";

/// CLI11 reads an argument in brackets as a list. "./[…]" names the same file and is not read as a
/// list.
std::vector<std::string> arguments_for_cli11(int argc, const char* const* argv) {
    std::vector<std::string> arguments(argv, argv + argc);
    for (std::string& each : arguments)
        if (each.size() > 1 && each.front() == '[' && each.back() == ']') each.insert(0, "./");
    return arguments;
}

std::array<float, 3> three(const std::vector<float>& values) {
    return {values[0], values[1], values[2]};
}

[[noreturn]] void refuse(std::string message) {
    throw Error(ErrorKind::usage, std::move(message));
}

/// Checks combinations of options, which CLI11 cannot check.
void check(const Options& options) {
    if (options.evaluates()) {
        if (!options.inputs.empty()) refuse("--evaluate SOURCE takes no other INPUT");
        tools::check(options.evaluation);
    } else if (options.evaluation != tools::EvaluationOptions{}) {
        refuse(
            "--class-map, --real-labels, --confusion, --reliability and --all-classes need "
            "--evaluate SOURCE");
    }
    if (options.inputs.empty() && !options.asks_for_report() && !options.evaluates())
        refuse(
            "no INPUT: name image files, folders, a .npy file, or - for a list on standard input");
    if (options.inputs.empty() && !options.evaluates() &&
        !(options.logits.empty() && options.features.empty() && options.tokens.empty() &&
          options.output.empty()))
        refuse("an output file was named, but no INPUT was given");
    if (options.std)
        for (const float each : *options.std)
            if (!(each > 0)) refuse(fmt::format("--std: expected values above 0, found {}", each));
    const std::vector<std::filesystem::path> named = options.outputs();
    for (std::size_t i = 0; i < named.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (tools::same_file(named[i], named[j]))
                refuse(fmt::format("two outputs go to the same file {}", named[i].string()));
}

constexpr std::array format_names{std::pair(Format::text, "text"), std::pair(Format::json, "json"),
                                  std::pair(Format::jsonl, "jsonl"), std::pair(Format::csv, "csv")};
constexpr std::array output_type_names{std::pair(OutputType::prob, "prob"),
                                       std::pair(OutputType::logit, "logit")};

}  // namespace

ParsedOptions parse_options(int argc, const char* const* argv) {
    Options options;
    CLI::App app;
    app.formatter_fn([](const CLI::App*, std::string, CLI::AppFormatMode) { return help; });
    app.set_version_flag("--version", version());

    std::string model, format = "text", type = "prob", output, logits, features, tokens;
    std::string precision, image_size, crop, filter, graph, evaluate;
    double crop_pct = 0;
    std::vector<float> mean, std;

    app.add_option("MODEL", model)->required();
    app.add_option("INPUT", options.inputs);
    app.add_flag("-0,--null", options.nul_separated);
    app.add_option("-k,--topk", options.topk)->check(CLI::Range(1, 1'000'000'000));
    app.add_option("--format", format)->check(tools::one_of(format_names));
    app.add_option("--output-type", type)->check(tools::one_of(output_type_names));
    app.add_option("-o,--output", output);
    app.add_option("--logits", logits);
    app.add_option("--features", features);
    app.add_option("--tokens", tokens);
    app.add_option("-t,--threads", options.load.threads)->check(CLI::Range(1, 1024));
    app.add_option("-b,--batch-size", options.batch_size)->check(CLI::Range(1, 65536));
    app.add_option("--precision", precision)->check(tools::one_of(tools::precision_names));
    app.add_option("--img-size", image_size);
    app.add_option("--crop-pct", crop_pct)->check(CLI::Range(0.01, 1.0));
    app.add_option("--crop-mode", crop)->check(tools::one_of(crop_mode_names));
    app.add_option("--interpolation", filter)->check(tools::one_of(interpolation_names));
    app.add_option("--mean", mean)->expected(3)->delimiter(',');
    app.add_option("--std", std)->expected(3)->delimiter(',');
    app.add_flag("--exif", options.decode.exif);
    app.add_option("--max-pixels", options.decode.max_pixels)->check(CLI::PositiveNumber);
    app.add_option("--evaluate", evaluate);
    tools::add_evaluation_options(app, options.evaluation);
    app.add_flag("--info", options.info);
    app.add_flag("--verify", options.verify);
    app.add_flag("--profile", options.profile);
    app.add_flag("--print-graph{text}", graph)->check(CLI::IsMember({"text", "dot"}));
    app.add_flag("--built-graph", options.built_graph);

    const std::vector<std::string> arguments = arguments_for_cli11(argc, argv);
    std::vector<const char*> pointers;
    for (const std::string& each : arguments) pointers.push_back(each.c_str());
    if (const auto status = tools::parse_command_line(app, "vit-infer", argc, pointers.data()))
        return {{}, *status};

    try {
        options.model = model;
        options.output = output;
        options.logits = logits;
        options.features = features;
        options.tokens = tokens;
        options.evaluation.source = evaluate;
        options.format = tools::value_of(format, format_names);
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
        if (!mean.empty()) options.mean = three(mean);
        if (!std.empty()) options.std = three(std);
        if (!graph.empty()) options.graph = graph == "dot" ? GraphFormat::dot : GraphFormat::text;
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
