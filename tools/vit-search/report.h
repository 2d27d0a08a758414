// The results as text for people or for programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/vit-search/evaluate.h"
#include "tools/vit-search/nearest.h"
#include "tools/vit-search/options.h"
#include "tools/vit-search/queries.h"

namespace vit::search {

/// The names of the index's rows; empty where they are not known.
using Names = std::vector<std::string>;

/// One record for each query: its name, and its matches or its error.
std::string search_report(Format format, const Queries& queries,
                          const std::vector<std::vector<Match>>& matches, const Names& names);

/// One record for each group of duplicates.
std::string duplicates_report(Format format, const std::vector<std::vector<std::int64_t>>& groups,
                              const Names& names);

/// Accuracies (text, json) or one record for each test vector (jsonl, csv; also in json).
std::string evaluation_report(Format format, const Evaluation& evaluation);

}  // namespace vit::search
