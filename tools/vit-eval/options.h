// The options of the command line.
#pragma once

#include <filesystem>
#include <optional>

#include "tools/evaluation/options.h"

namespace vit::eval {

struct Options {
    std::filesystem::path records;
    std::filesystem::path model;  ///< empty: classes are taken from the records
    bool json = false;
    tools::EvaluationOptions evaluation;
};

/// The options; or an exit status if the command line asked for help or version, or was refused.
struct ParsedOptions {
    std::optional<Options> options;
    int status = 0;
};

/// Prints help, version and error messages itself.
ParsedOptions parse_options(int argc, const char* const* argv);

}  // namespace vit::eval
