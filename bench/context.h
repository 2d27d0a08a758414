// What a benchmark program says of itself and of the machine before its results.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace vit::bench {

/// Names and what is known, in the order in which the console shows them.
using Facts = std::vector<std::pair<std::string, std::string>>;

/// The CPU's model name, "unknown" where the system does not tell.
std::string cpu_name();

/// benchmark::RunSpecifiedBenchmarks(), with the facts before the results: in place of the
/// library's own words on the console, and under "context" in JSON. The library's words warn of
/// its own build ("Library was built as DEBUG"): Debian makes it without NDEBUG, so that it checks
/// itself around the runs; this engine is another build. JSON keeps all of the library's fields,
/// "library_build_type" among them.
void run_benchmarks(const Facts& facts);

}  // namespace vit::bench
