#include "tools/vit-infer/profile_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

namespace vit::infer {

namespace {

double share(double part, double whole) {
    return whole > 0 ? 100 * part / whole : 0;
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

std::string profile_text(const MeasuredProfile& measured) {
    const Profile& profile = measured.profile;
    const int threads = measured.threads;
    NodeProfile nodes = measured.all_nodes();
    nodes.name = "all nodes";
    std::size_t width = 11;
    for (const NodeProfile& node : profile.nodes) width = std::max(width, node.name.size());
    const double whole = measured.whole(),
                 accounted = nodes.milliseconds + profile.waiting_milliseconds,
                 speed = rate(nodes.gflop, profile.wall_milliseconds),
                 nominal = measured.nominal_gflop;

    std::string out =
        fmt::format("{} image{}, {} thread{}, mean of {} runs; measured peak {:.1f} GFLOP/s, {}\n",
                    measured.images, measured.images == 1 ? "" : "s", threads,
                    threads == 1 ? "" : "s", measured.runs, measured.peak, measured.instruction);
    fmt::format_to(std::back_inserter(out),
                   "wall {:.2f} ms x {} thread{} = {:.2f} ms of thread time; {:.2f} ms an image, "
                   "{:.1f} GFLOP/s, {:.1f} % of the peak\n",
                   profile.wall_milliseconds, threads, threads == 1 ? "" : "s", whole,
                   profile.wall_milliseconds / static_cast<double>(measured.images), speed,
                   share(speed, measured.peak));
    fmt::format_to(std::back_inserter(out),
                   "work done: {:.3f} GFLOP; left out, for rows that logits do not need: {:.3f} "
                   "GFLOP, {:.1f} % of the whole graph\n",
                   nodes.gflop, nominal - nodes.gflop, share(nominal - nodes.gflop, nominal));
    out +=
        "GFLOP: work done, 2 a multiply-add; peak: GFLOP/s as a share of the measured peak.\n"
        "ms: thread time, what all threads spent there added up; time: its share of threads x "
        "wall.\n\n";
    Table table{out, width, whole, threads, measured.peak};
    table.heading("sum");
    for (const NodeProfile& kind : by_kind(profile.nodes)) table.row(kind);
    table.row(nodes);
    table.time_only("waiting", profile.waiting_milliseconds);
    table.time_only("accounted", accounted);
    table.time_only("between", whole - accounted);
    out += '\n';
    table.heading("node");
    for (const NodeProfile& node : profile.nodes) table.row(node);
    return out;
}

std::string profile_json(const MeasuredProfile& measured) {
    const Profile& profile = measured.profile;
    const NodeProfile sum = measured.all_nodes();
    nlohmann::ordered_json json{
        {"images", measured.images},
        {"threads", measured.threads},
        {"runs", measured.runs},
        {"instruction", measured.instruction},
        {"peak_gflops", measured.peak},
        {"wall_ms", profile.wall_milliseconds},
        {"ms_per_image", profile.wall_milliseconds / static_cast<double>(measured.images)},
        {"gflop", sum.gflop},
        {"left_out_gflop", measured.nominal_gflop - sum.gflop},
        {"gflops", rate(sum.gflop, profile.wall_milliseconds)},
        {"waiting_thread_ms", profile.waiting_milliseconds},
        {"between_thread_ms", measured.whole() - sum.milliseconds - profile.waiting_milliseconds}};
    nlohmann::ordered_json& nodes = json["nodes"] = nlohmann::ordered_json::array();
    for (const NodeProfile& node : profile.nodes)
        nodes.push_back({{"name", node.name},
                         {"kind", node.kind},
                         {"thread_ms", node.milliseconds},
                         {"gflop", node.gflop},
                         {"mb", node.mbytes}});
    return json.dump(1) + '\n';
}

}  // namespace vit::infer
