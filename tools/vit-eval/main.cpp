// vit-eval. docs/cli.md describes it.
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <vector>

#include "engine/base/text.h"
#include "engine/model/model_file.h"
#include "tools/common/error_line.h"
#include "tools/evaluation/evaluation.h"
#include "tools/vit-eval/image_index.h"
#include "tools/vit-eval/options.h"
#include "tools/vit-eval/record_file.h"

namespace vit::eval {

namespace {

tools::ClassNames classes_of_model(const std::filesystem::path& path) {
    const ModelHeader header = ModelFile::open(path).header();
    if (header.config.num_classes == 0)
        throw Error(ErrorKind::model, in_quotes(path.native()) +
                                          ": expected a model with classes, found one without a "
                                          "head");
    return {header.config.num_classes, header.labels, true};
}

/// What the records did not tell.
struct Gaps {
    std::size_t failed = 0;  ///< images that failed or have no record
    std::string first_failed;
    std::size_t strangers = 0;  ///< records of images that are not in SOURCE
};

Gaps add_records(const Options& options, tools::Evaluation& evaluation) {
    const tools::GroundTruth& truth = evaluation.truth();
    const ImageIndex index(truth);
    std::vector<bool> seen(truth.files.size());
    Gaps gaps;
    const auto fail = [&](std::size_t image) {
        if (gaps.failed++ == 0) gaps.first_failed = truth.files[image];
    };
    read_records(options.records, [&](const Record& record) {
        const auto refuse = [&](const std::string& what) {
            throw Error(ErrorKind::input,
                        fmt::format("{}: line {}: {}", in_quotes(options.records.native()),
                                    record.line, what));
        };
        const auto image = index.find(record.file);
        if (!image) {
            ++gaps.strangers;
            return;
        }
        if (seen[*image])
            refuse(fmt::format("a second record of {}; expected one record of each image",
                               in_quotes(truth.files[*image])));
        seen[*image] = true;
        for (const RecordedClass& each : record.best)
            if (each.index >= evaluation.classes().count)
                refuse(
                    fmt::format("expected a class from 0 to {}, found {}; are the records of "
                                "this model?",
                                evaluation.classes().count - 1, each.index));
        const auto result = result_of_record(record, truth.classes[*image]);
        if (!result) fail(*image);
        evaluation.add(*image, result);
    });
    std::size_t missing = 0;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        if (seen[i]) continue;
        ++missing;
        fail(i);
        evaluation.add_missing();
    }
    if (missing == seen.size())
        throw Error(
            ErrorKind::input,
            fmt::format("{}: no record is of an image in SOURCE, such as {}; expected "
                        "file names that end with its paths below SOURCE",
                        in_quotes(options.records.native()), in_quotes(truth.files.front())));
    return gaps;
}

int run(const Options& options) {
    tools::Evaluation evaluation(options.evaluation, options.model.empty()
                                                         ? classes_of_records(options.records)
                                                         : classes_of_model(options.model));
    const Gaps gaps = add_records(options, evaluation);
    const std::string summary = evaluation.finish(options.json);
    if (std::fputs(summary.c_str(), stdout) < 0 || std::fflush(stdout) != 0)
        throw Error(ErrorKind::io, "cannot write to standard output");
    if (gaps.strangers > 0)
        std::fprintf(stderr, "vit-eval: note: %zu records are of images that are not in SOURCE\n",
                     gaps.strangers);
    if (gaps.failed == 0) return tools::exit_ok;
    const std::string line =
        tools::error_line("vit-eval",
                          fmt::format("{} of {} images failed or have no record", gaps.failed,
                                      evaluation.truth().files.size()),
                          gaps.failed == 1 ? gaps.first_failed : "first: " + gaps.first_failed);
    std::fprintf(stderr, "%s\n", line.c_str());
    return tools::exit_some_inputs_failed;
}

}  // namespace

}  // namespace vit::eval

int main(int argc, char** argv) {
    using namespace vit;
    const eval::ParsedOptions parsed = eval::parse_options(argc, argv);
    if (!parsed.options) return parsed.status;
    return tools::run_tool("vit-eval", [&] { return eval::run(*parsed.options); });
}
