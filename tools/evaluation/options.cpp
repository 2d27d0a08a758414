#include "tools/evaluation/options.h"

#include <fmt/format.h>

#include <string>

#include "engine/base/text.h"
#include "tools/common/image_files.h"
#include "tools/common/output_check.h"
#include "vit/error.h"

namespace vit::tools {

void add_evaluation_options(CLI::App& app, EvaluationOptions& options) {
    const auto add = [&](const char* name, std::filesystem::path& path) {
        app.add_option_function<std::string>(name, [&path, name](const std::string& text) {
            if (text.empty()) throw CLI::ValidationError(name, "expected a file");
            path = text;
        });
    };
    add("--class-map", options.class_map);
    add("--real-labels", options.real_labels);
    add("--confusion", options.confusion);
    add("--reliability", options.reliability);
    app.add_flag("--all-classes", options.all_classes);
}

void check(const EvaluationOptions& options) {
    const auto refuse = [](const char* option, const char* expected,
                           const std::filesystem::path& found) {
        throw Error(ErrorKind::usage,
                    fmt::format("{}: expected a file whose name ends with {}, found {}", option,
                                expected, in_quotes(found.native())));
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
