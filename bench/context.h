// The facts about a benchmark program and its machine that are printed before the results.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace vit::bench {

/// Names and values, in the order in which the console shows them.
using Facts = std::vector<std::pair<std::string, std::string>>;

/// The CPU's model name; "unknown" if the system does not say it.
std::string cpu_name();

/// Like benchmark::RunSpecifiedBenchmarks(), but prints the facts before the results: on the
/// console instead of the library's own context, in JSON under "context". The library's context
/// warns about the library's own build ("Library was built as DEBUG"): Debian builds it without
/// NDEBUG, so it checks itself around the runs. This says nothing about the build of this engine.
/// JSON keeps all fields of the library, also "library_build_type".
void run_benchmarks(const Facts& facts);

}  // namespace vit::bench
