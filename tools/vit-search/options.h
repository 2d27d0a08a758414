// The options of the command line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "vit/model.h"

namespace vit::search {

enum class Format { text, json, jsonl, csv };
/// Which of a model's results a query image becomes.
enum class QueryVectors { features, logits };

struct Options {
    std::filesystem::path index;
    std::filesystem::path query;  ///< image, folder or .npy; the .npy of test vectors to evaluate
    std::optional<std::int64_t> row;  ///< the row of the index that is the query
    std::filesystem::path model;
    QueryVectors vectors = QueryVectors::features;
    std::filesystem::path names;  ///< empty: the index's own names file if there is one
    int k = 0;                    ///< 0: the default of the task
    LoadOptions load;             ///< threads, precision
    Format format = Format::text;
    std::filesystem::path output;  ///< empty: standard output
    bool time = false;

    std::optional<double> duplicates;  ///< the least cosine
    bool evaluate = false;
    std::filesystem::path labels, test_labels;
};

/// The options; or an exit status if the command line asked for help or version, or was refused.
struct ParsedOptions {
    std::optional<Options> options;
    int status = 0;
};

/// Prints help, version and error messages itself.
ParsedOptions parse_options(int argc, const char* const* argv);

}  // namespace vit::search
