// The options of evaluation, which vit-infer and vit-eval share.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vit::tools {

class Parser;

/// Paths. An empty one was not given.
struct EvaluationOptions {
    std::string source;  ///< folder of class folders, or CSV
    std::string class_map;
    std::string real_labels;
    std::string confusion;     ///< .csv or .svg to write
    std::string reliability;   ///< .svg to write
    bool all_classes = false;  ///< the summary has a row for each class

    std::vector<std::filesystem::path> outputs() const { return {confusion, reliability}; }
    bool operator==(const EvaluationOptions&) const = default;
};

/// Adds all options but SOURCE to a command line.
void add_evaluation_options(Parser& parser, EvaluationOptions& options);

/// Throws Error(usage) where an output has the wrong extension or is also an input.
void check(const EvaluationOptions& options);

}  // namespace vit::tools
