#include "tools/vit-eval/options.h"

#include <cstdio>
#include <string>
#include <utility>

#include "tools/common/command_line.h"
#include "tools/common/error_line.h"
#include "tools/common/output_check.h"
#include "vit/model.h"

namespace vit::eval {

namespace {

constexpr const char* help = R"(vit-eval RECORDS.jsonl SOURCE [options]

Compares records that vit-infer --format jsonl wrote with the true classes, and prints accuracies
and calibration. No model runs.

SOURCE: a folder with a folder for each class, or a CSV of file,label. A record belongs to the
image whose path below SOURCE is the end of the record's file name.

  --model MODEL.vit        take the classes and their labels from this model file; needed if the
                           records do not have all labels
  --format NAME            text or json (text)
  --class-map FILE         names of the class folders, a class a line, or lines of NAME INDEX
  --real-labels FILE       also count against ImageNet's reassessed labels (real.json)
  --confusion FILE         confusion matrix, .csv or .svg
  --reliability FILE.svg   reliability diagram
  --all-classes            show all classes, not only the 20 with the lowest accuracy

  -h, --help               this text
  --version                name and version

Exit status: 0 all well, 1 some images failed or have no record, or SOURCE or RECORDS is not as
described, 2 wrong usage, 3 the model was refused, 74 reading or writing failed.

Examples
  vit-infer model.vit photos/ --format jsonl -o records.jsonl
  vit-eval records.jsonl photos/
  vit-eval records.jsonl labels.csv --confusion confusion.svg --format json
)";

}  // namespace

ParsedOptions parse_options(int argc, const char* const* argv) {
    Options options;
    CLI::App app;
    app.formatter_fn([](const CLI::App*, std::string, CLI::AppFormatMode) { return help; });
    app.set_version_flag("--version", version());

    std::string records, source, model, format = "text";
    app.add_option("RECORDS", records)->required();
    app.add_option("SOURCE", source)->required();
    app.add_option("--model", model);
    app.add_option("--format", format)->check(CLI::IsMember({"text", "json"}));
    tools::add_evaluation_options(app, options.evaluation);
    if (const auto status = tools::parse_command_line(app, "vit-eval", argc, argv))
        return {{}, *status};

    options.records = records;
    options.model = model;
    options.json = format == "json";
    options.evaluation.source = source;
    try {
        tools::check(options.evaluation);
        tools::check_not_output(options.records, options.evaluation.outputs());
        tools::check_not_output(options.model, options.evaluation.outputs());
    } catch (const Error& error) {
        std::fprintf(
            stderr, "%s\n",
            tools::error_line("vit-eval", error.what(), "--help lists the options").c_str());
        return {{}, tools::exit_status(error.kind())};
    }
    return {std::move(options), tools::exit_ok};
}

}  // namespace vit::eval
