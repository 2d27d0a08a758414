// vit-search. docs/cli.md describes it.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <system_error>

#include "engine/base/text.h"
#include "tools/common/error_line.h"
#include "tools/common/signals.h"
#include "tools/common/status_line.h"
#include "tools/vit-search/duplicates.h"
#include "tools/vit-search/evaluate.h"
#include "tools/vit-search/nearest.h"
#include "tools/vit-search/options.h"
#include "tools/vit-search/output.h"
#include "tools/vit-search/queries.h"
#include "tools/vit-search/report.h"
#include "tools/vit-search/text_lines.h"

namespace vit::search {

namespace {

constexpr std::size_t default_k = 10;

int threads_of(const Options& options) {
    return options.load.threads > 0 ? options.load.threads : usable_threads();
}

Names names_of(const Options& options, const VectorFile& index) {
    std::filesystem::path path = options.names;
    std::error_code ignored;
    if (path.empty()) path = std::filesystem::path(options.index).replace_extension(".names");
    if (options.names.empty() && !std::filesystem::exists(path, ignored)) return {};
    return read_lines(path, index.count(), options.index);
}

/// Runs `work` and, with --time, says how long it took.
template <class Work>
auto timed(const Options& options, const std::string& what, Work work) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point begin = Clock::now();
    auto result = work();
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    if (options.time)
        std::fprintf(
            stderr, "%s\n",
            fmt::format("vit-search: {}: {:.1f} ms with {} threads", what, ms, threads_of(options))
                .c_str());
    return result;
}

std::string size_of(const VectorFile& index) {
    return fmt::format("{} vectors of {}", index.count(), index.dim());
}

/// Says how many queries failed, and returns the exit status.
int report_failures(const Queries& queries) {
    const auto has_failed = [](const std::string& error) { return !error.empty(); };
    const auto failed = std::ranges::count_if(queries.errors, has_failed);
    if (failed == 0) return tools::exit_ok;
    const std::string line = tools::error_line(
        "vit-search", fmt::format("{} of {} queries failed", failed, queries.names.size()),
        "first: " + *std::ranges::find_if(queries.errors, has_failed));
    std::fprintf(stderr, "%s\n", line.c_str());
    return tools::exit_some_inputs_failed;
}

int search(const Options& options) {
    const VectorFile index(options.index);
    const Names names = names_of(options, index);
    const Queries queries = read_queries(options, index);
    // The query of --row is its own best match, or one of several that are equal to it.
    const std::size_t k = options.k > 0 ? static_cast<std::size_t>(options.k) : default_k;
    auto matches =
        timed(options, fmt::format("{} queries in {}", queries.names.size(), size_of(index)), [&] {
            return nearest(index, queries.vectors, k + options.row.has_value(),
                           threads_of(options));
        });
    for (std::size_t q = 0; q < matches.size(); ++q) {
        if (!queries.errors[q].empty()) matches[q].clear();
        std::erase_if(matches[q], [&](const Match& each) { return options.row == each.row; });
        matches[q].resize(std::min(matches[q].size(), k));
    }
    write_output(options.output, search_report(options.format, queries, matches, names));
    return report_failures(queries);
}

int run(const Options& options) {
    if (options.evaluate) {
        const Evaluation evaluation =
            timed(options, "evaluation", [&] { return evaluate(options); });
        write_output(options.output, evaluation_report(options.format, evaluation));
        return tools::exit_ok;
    }
    if (!options.duplicates) return search(options);
    const VectorFile index(options.index);
    const Names names = names_of(options, index);
    const auto groups = timed(options, "duplicates in " + size_of(index), [&] {
        tools::StatusLine line(true);
        return duplicates(index, *options.duplicates, threads_of(options), [&](double share) {
            if (line.due())
                line.show(fmt::format("{} {:.0f} % of the pairs, {:.0f} s left",
                                      tools::progress_bar(share), 100 * share,
                                      line.seconds() * (1 - share) / share));
        });
    });
    write_output(options.output, duplicates_report(options.format, groups, names));
    return tools::exit_ok;
}

}  // namespace

}  // namespace vit::search

int main(int argc, char** argv) {
    using namespace vit;
    const search::ParsedOptions parsed = search::parse_options(argc, argv);
    if (!parsed.options) return parsed.status;
    tools::exit_on_interrupt("vit-search");
    std::signal(SIGPIPE, SIG_IGN);
    return tools::run_tool("vit-search", [&] {
        try {
            return search::run(*parsed.options);
        } catch (const search::ReaderGone&) {
            return tools::exit_io;
        }
    });
}
