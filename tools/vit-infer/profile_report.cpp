#include "tools/vit-infer/profile_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string_view>
#include <vector>

#include "tools/common/peak.h"
#include "vit/reports.h"

namespace vit::infer {

namespace {

double share(double part, double whole) {
    return whole > 0 ? 100 * part / whole : 0;
}

/// Work per second; 0 if the measured time is 0.
double rate(double work, double milliseconds) {
    return milliseconds > 0 ? work / milliseconds * 1e3 : 0;
}

/// Averages at least three runs that take at least half a second together, after one warm-up run.
Profile mean_profile(const Model& model, std::span<const float> images, std::int64_t count,
                     int& runs) {
    using Clock = std::chrono::steady_clock;
    (void)profile(model, images, count);
    Profile sum = profile(model, images, count);
    runs = 1;
    const auto start = Clock::now();
    while (runs < 3 || Clock::now() - start < std::chrono::milliseconds(500)) {
        const Profile more = profile(model, images, count);
        for (std::size_t i = 0; i < sum.nodes.size(); ++i)
            sum.nodes[i].milliseconds += more.nodes[i].milliseconds;
        sum.waiting_milliseconds += more.waiting_milliseconds;
        sum.wall_milliseconds += more.wall_milliseconds;
        ++runs;
    }
    for (NodeProfile& node : sum.nodes) node.milliseconds /= runs;
    sum.waiting_milliseconds /= runs;
    sum.wall_milliseconds /= runs;
    return sum;
}

void add(NodeProfile& sum, const NodeProfile& node) {
    sum.milliseconds += node.milliseconds;
    sum.gflop += node.gflop;
    sum.mbytes += node.mbytes;
}

/// One row for each kind of node, the longest time first. `name` holds the number of nodes of this
/// kind.
std::vector<NodeProfile> by_kind(const std::vector<NodeProfile>& nodes) {
    std::vector<NodeProfile> kinds;
    std::vector<int> counts;
    for (const NodeProfile& node : nodes) {
        auto kind = std::find_if(kinds.begin(), kinds.end(),
                                 [&](const NodeProfile& each) { return each.kind == node.kind; });
        if (kind == kinds.end()) {
            kind = kinds.insert(kinds.end(), NodeProfile{{}, node.kind});
            counts.push_back(0);
        }
        add(*kind, node);
        ++counts[static_cast<std::size_t>(kind - kinds.begin())];
    }
    for (std::size_t i = 0; i < kinds.size(); ++i)
        kinds[i].name = fmt::format("{} node{}", counts[i], counts[i] == 1 ? "" : "s");
    std::sort(kinds.begin(), kinds.end(), [](const NodeProfile& a, const NodeProfile& b) {
        return a.milliseconds > b.milliseconds;
    });
    return kinds;
}

/// The rows of the table. Times are summed over the threads, so `whole` is threads × wall time.
struct Table {
    std::string& out;
    std::size_t width;  ///< of the first column
    double whole;       ///< ms
    int threads;
    double peak;  ///< GFLOP/s of all threads together

    void heading(std::string_view first) {
        fmt::format_to(std::back_inserter(out),
                       "{:<{}}  {:<14} {:>9} {:>7} {:>9} {:>9} {:>7} {:>9} {:>8}\n", first, width,
                       "kind", "ms", "time", "GFLOP", "GFLOP/s", "peak", "MB", "GB/s");
    }
    void row(const NodeProfile& node) {
        const double wall = node.milliseconds / threads;  // if all threads shared the work
        const double speed = rate(node.gflop, wall);
        fmt::format_to(
            std::back_inserter(out),
            "{:<{}}  {:<14} {:>9.3f} {:>5.1f} % {:>9.3f} {:>9.1f} {:>5.1f} % {:>9.2f} {:>8.1f}\n",
            node.name, width, node.kind, node.milliseconds, share(node.milliseconds, whole),
            node.gflop, speed, share(speed, peak), node.mbytes, rate(node.mbytes * 1e-3, wall));
    }
    void time_only(std::string_view name, double milliseconds) {
        fmt::format_to(std::back_inserter(out), "{:<{}}  {:<14} {:>9.3f} {:>5.1f} %\n", name, width,
                       "", milliseconds, share(milliseconds, whole));
    }
};

}  // namespace

std::string profile_report(const Model& model, std::span<const float> images, std::int64_t count) {
    const ModelInfo& info = model.info();
    const int threads = info.threads;
    int runs = 0;
    const tools::Arithmetic arithmetic = tools::arithmetic_of(info.precision, info.isa);
    const auto measure = [&] { return tools::measure_peak(arithmetic, threads).value_or(0); };
    const double peak_before = measure();
    const Profile profile = mean_profile(model, images, count, runs);
    const double peak = std::max(peak_before, measure());

    NodeProfile nodes;
    std::size_t width = 11;
    for (const NodeProfile& node : profile.nodes) {
        add(nodes, node);
        width = std::max(width, node.name.size());
    }
    const double whole = threads * profile.wall_milliseconds;
    const double accounted = nodes.milliseconds + profile.waiting_milliseconds;

    std::string out = fmt::format(
        "{} image{}, {} thread{}, mean of {} runs; measured peak {:.1f} GFLOP/s, {}\n"
        "GFLOP: work done, 2 a multiply-add; peak: GFLOP/s as a share of the measured peak.\n"
        "ms: thread time, what all threads spent there added up; time: its share of threads x "
        "wall.\n\n",
        count, count == 1 ? "" : "s", threads, threads == 1 ? "" : "s", runs, peak,
        tools::instruction_name(arithmetic));
    Table table{out, width, whole, threads, peak};
    table.heading("node");
    for (const NodeProfile& node : profile.nodes) table.row(node);
    out += '\n';
    table.heading("sum");
    for (const NodeProfile& kind : by_kind(profile.nodes)) table.row(kind);
    nodes.name = "all nodes";
    table.row(nodes);
    table.time_only("waiting", profile.waiting_milliseconds);
    table.time_only("accounted", accounted);
    table.time_only("between", whole - accounted);
    const double speed = rate(nodes.gflop, profile.wall_milliseconds);
    fmt::format_to(std::back_inserter(out),
                   "\nwall {:.2f} ms x {} thread{} = {:.2f} ms of thread time; {:.2f} ms an image, "
                   "{:.1f} GFLOP/s, {:.1f} % of the peak\n",
                   profile.wall_milliseconds, threads, threads == 1 ? "" : "s", whole,
                   profile.wall_milliseconds / static_cast<double>(count), speed,
                   share(speed, peak));
    const double nominal = info.gflop_per_image * static_cast<double>(count);
    fmt::format_to(std::back_inserter(out),
                   "work done: {:.3f} GFLOP; left out, for rows that logits do not need: {:.3f} "
                   "GFLOP, {:.1f} % of the whole graph\n",
                   nodes.gflop, nominal - nodes.gflop, share(nominal - nodes.gflop, nominal));
    return out;
}

}  // namespace vit::infer
