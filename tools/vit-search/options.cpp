#include "tools/vit-search/options.h"

#include <array>
#include <cstdio>
#include <utility>
#include <vector>

#include "tools/common/command_line.h"
#include "tools/common/error_line.h"
#include "tools/common/named_values.h"
#include "tools/common/output_check.h"
#include "tools/common/precision_names.h"

namespace vit::search {

namespace {

constexpr const char* help = R"(vit-search INDEX.npy QUERY [options]
vit-search INDEX.npy --row N [options]
vit-search INDEX.npy --duplicates X [options]
vit-search TRAIN.npy TEST.npy --evaluate --labels FILE --test-labels FILE [options]

Compares vectors of images by their cosine. Compares all of them, so that the result is exact.
vit-infer makes the vectors: vit-infer MODEL.vit FOLDER --features INDEX.npy --names INDEX.names

INDEX.npy: float32, float16 or float64 [N, D]. Rows of NaN (images that failed) are never found.
QUERY: an image or a folder of images (with --model), or a .npy of vectors, [D] or [M, D].

Search
  -k N                     matches of a query (10)
  --row N                  the query is row N of the index, which is not found itself
  --model MODEL.vit        the model that made the index, for queries that are images
  --vectors NAME           features or logits: which of the model's results the index holds (features)
  --names FILE             names of the index's rows, one a line (INDEX.names, if it exists)

Other tasks
  --duplicates X           groups of images with a cosine of at least X, from 0.01 to 1
  --evaluate               accuracy of k-NN and of a linear probe on the vectors of TEST.npy
  --labels FILE            the class of each row of TRAIN.npy, one a line
  --test-labels FILE       the class of each row of TEST.npy
  -k N                     neighbours of k-NN (20)

Output and speed
  --format NAME            text, json, jsonl or csv (text)
  -o, --output FILE        results go there, whole or not at all, instead of standard output
  -t, --threads N          threads (all usable cores)
  --precision NAME         of the model: f32, bf16 or int8 (what the model file was converted for)
  --time                   print the time of the task on standard error

  -h, --help               this text
  --version                name and version

Exit status: 0 all well, 1 some queries failed, 2 wrong usage, 3 the model or an array was refused,
74 reading or writing failed, 130/143 interrupted.

Examples
  vit-infer model.vit photos/ --features photos.npy --names photos.names
  vit-search photos.npy cat.jpg --model model.vit -k 5
  vit-search photos.npy --duplicates 0.97
)";

[[noreturn]] void refuse(std::string message) {
    throw Error(ErrorKind::usage, std::move(message));
}

/// Checks combinations of options, which CLI11 cannot check.
void check(const Options& options) {
    const int tasks = !options.query.empty() && !options.evaluate;
    if (tasks + options.row.has_value() + options.duplicates.has_value() + options.evaluate != 1)
        refuse("name one task: QUERY, --row, --duplicates or --evaluate");
    if (options.evaluate && options.query.empty())
        refuse("--evaluate: expected TRAIN.npy and TEST.npy, found one of them");
    if (options.evaluate != !options.labels.empty() ||
        options.evaluate != !options.test_labels.empty())
        refuse("--evaluate, --labels and --test-labels: expected all of them or none");
    for (const std::filesystem::path* input :
         {&options.index, &options.query, &options.model, &options.names, &options.labels,
          &options.test_labels})
        tools::check_not_output(*input, {options.output});
}

constexpr std::array format_names{std::pair(Format::text, "text"), std::pair(Format::json, "json"),
                                  std::pair(Format::jsonl, "jsonl"), std::pair(Format::csv, "csv")};
constexpr std::array vectors_names{std::pair(QueryVectors::features, "features"),
                                   std::pair(QueryVectors::logits, "logits")};

}  // namespace

ParsedOptions parse_options(int argc, const char* const* argv) {
    Options options;
    CLI::App app;
    app.formatter_fn([](const CLI::App*, std::string, CLI::AppFormatMode) { return help; });
    app.set_version_flag("--version", version());

    std::string index, query, model, vectors = "features", names, precision, format = "text",
                                     output, labels, test_labels;
    std::int64_t row = 0;
    double least = 0;
    app.add_option("INDEX", index)->required();
    app.add_option("QUERY", query);
    app.add_option("-k", options.k)->check(CLI::Range(1, 1'000'000));
    CLI::Option* with_row = app.add_option("--row", row)->check(CLI::NonNegativeNumber);
    app.add_option("--model", model);
    app.add_option("--vectors", vectors)->check(tools::one_of(vectors_names));
    app.add_option("--names", names);
    CLI::Option* with_least = app.add_option("--duplicates", least)->check(CLI::Range(0.01, 1.0));
    app.add_flag("--evaluate", options.evaluate);
    app.add_option("--labels", labels);
    app.add_option("--test-labels", test_labels);
    app.add_option("--format", format)->check(tools::one_of(format_names));
    app.add_option("-o,--output", output);
    app.add_option("-t,--threads", options.load.threads)->check(CLI::Range(1, 1024));
    app.add_option("--precision", precision)->check(tools::one_of(tools::precision_names));
    app.add_flag("--time", options.time);
    if (const auto status = tools::parse_command_line(app, "vit-search", argc, argv))
        return {{}, *status};

    options.index = index;
    options.query = query;
    options.model = model;
    options.vectors = tools::value_of(vectors, vectors_names);
    options.names = names;
    options.output = output;
    options.labels = labels;
    options.test_labels = test_labels;
    options.format = tools::value_of(format, format_names);
    if (*with_row) options.row = row;
    if (*with_least) options.duplicates = least;
    if (!precision.empty())
        options.load.precision = tools::value_of(precision, tools::precision_names);
    try {
        check(options);
    } catch (const Error& error) {
        std::fprintf(
            stderr, "%s\n",
            tools::error_line("vit-search", error.what(), "--help lists the options").c_str());
        return {{}, tools::exit_status(error.kind())};
    }
    return {std::move(options), 0};
}

}  // namespace vit::search
