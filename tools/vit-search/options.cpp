#include "tools/vit-search/options.h"

#include <array>
#include <cstdio>
#include <utility>
#include <vector>

#include "engine/base/threads.h"
#include "tools/common/error_line.h"
#include "tools/common/named_values.h"
#include "tools/common/output_check.h"
#include "tools/common/precision_names.h"
#include "tools/common/value_checks.h"
#include "tools/manual/parser.h"
#include "tools/vit-search/text.h"

namespace vit::search {

namespace {

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
    tools::Parser parser(tool_text(), version());

    std::string index, query, model, vectors = "features", names, precision, format = "text",
                                     output, labels, test_labels;
    std::int64_t row = 0;
    double least = 0;
    parser.argument("INDEX", index)->required();
    parser.argument("QUERY", query);
    parser.option("--topk", options.k)->check(tools::number_within(1, 1'000'000));
    CLI::Option* with_row =
        parser.option("--row", row)
            ->check(tools::number_within(std::int64_t{0}, std::int64_t{1} << 48));
    parser.option("--model", model);
    parser.option("--vectors", vectors)->check(tools::one_of(vectors_names));
    parser.option("--names", names);
    CLI::Option* with_least =
        parser.option("--duplicates", least)->check(tools::number_within(0.01, 1.0));
    parser.flag("--evaluate", options.evaluate);
    parser.option("--labels", labels);
    parser.option("--test-labels", test_labels);
    parser.option("--format", format)->check(tools::one_of(format_names));
    parser.option("--output", output);
    parser.option("--threads", options.load.threads)->check(tools::number_within(0, most_threads));
    parser.option("--precision", precision)->check(tools::one_of(tools::precision_names));
    parser.flag("--time", options.time);
    if (const auto status = parser.parse(argc, argv)) return {{}, *status};

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
