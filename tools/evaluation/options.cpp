#include "tools/evaluation/options.h"

#include <fmt/format.h>

#include "engine/base/text.h"
#include "tools/common/image_files.h"
#include "tools/common/output_check.h"
#include "tools/manual/parser.h"
#include "vit/error.h"

namespace vit::tools {

void add_evaluation_options(Parser& parser, EvaluationOptions& options) {
    const auto add = [&](const char* name, std::string& path) {
        parser.option(name, path)->check([](const std::string& text) {
            return text.empty() ? std::string("expected a file") : std::string();
        });
    };
    add("--class-map", options.class_map);
    add("--real-labels", options.real_labels);
    add("--confusion", options.confusion);
    add("--reliability", options.reliability);
    parser.flag("--all-classes", options.all_classes);
}

void check(const EvaluationOptions& options) {
    const auto refuse = [](const char* option, const char* expected, const std::string& found) {
        throw Error(ErrorKind::usage,
                    fmt::format("{}: expected a file whose name ends with {}, found {}", option,
                                expected, in_quotes(found)));
    };
    const std::string confusion = lower_extension(options.confusion);
    if (!options.confusion.empty() && confusion != ".csv" && confusion != ".svg")
        refuse("--confusion", ".csv or .svg", options.confusion);
    if (!options.reliability.empty() && lower_extension(options.reliability) != ".svg")
        refuse("--reliability", ".svg", options.reliability);
    for (const auto& input : {options.source, options.class_map, options.real_labels})
        check_not_output(input, options.outputs());
    check_not_output(options.confusion, {options.reliability});
}

}  // namespace vit::tools
