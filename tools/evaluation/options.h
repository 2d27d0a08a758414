// The options of evaluation, which vit-infer and vit-eval share.
#pragma once

#include <filesystem>
#include <vector>

#include "CLI/CLI.hpp"

namespace vit::tools {

struct EvaluationOptions {
    std::filesystem::path source;     ///< folder of class folders, or CSV; empty: no evaluation
    std::filesystem::path class_map;  ///< empty: none, as for the others
    std::filesystem::path real_labels;
    std::filesystem::path confusion;    ///< .csv or .svg to write
    std::filesystem::path reliability;  ///< .svg to write
    bool all_classes = false;           ///< the summary has a row for each class

    std::vector<std::filesystem::path> outputs() const { return {confusion, reliability}; }
    bool operator==(const EvaluationOptions&) const = default;
};

/// Adds all options but SOURCE to a command line.
void add_evaluation_options(CLI::App& app, EvaluationOptions& options);

/// Throws Error(usage) where an output has the wrong extension or is also an input.
void check(const EvaluationOptions& options);

}  // namespace vit::tools
