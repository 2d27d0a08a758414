#include "tools/vit-eval/options.h"

#include <array>
#include <cstdio>
#include <string>
#include <utility>

#include "tools/common/error_line.h"
#include "tools/common/named_values.h"
#include "tools/common/output_check.h"
#include "tools/common/value_checks.h"
#include "tools/manual/parser.h"
#include "tools/vit-eval/text.h"
#include "vit/model.h"

namespace vit::eval {

namespace {

constexpr std::array format_names{std::pair(false, "text"), std::pair(true, "json")};

}  // namespace

ParsedOptions parse_options(int argc, const char* const* argv) {
    Options options;
    tools::Parser parser(tool_text(), version());
    std::string records, source, model, format = "text";
    parser.argument("RECORDS", records)->required();
    parser.argument("SOURCE", source)->required();
    parser.option("--model", model);
    parser.option("--format", format)->check(tools::one_of(format_names));
    tools::add_evaluation_options(parser, options.evaluation);
    if (const auto status = parser.parse(argc, argv)) return {{}, *status};

    options.records = records;
    options.model = model;
    options.json = tools::value_of(format, format_names);
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
