// Executor::inspect: a run that shows values inside the network.
#include <algorithm>
#include <utility>

#include "engine/executor/executor.h"

namespace vit::inline internal {

const Graph& Executor::graph_keeping(std::span<const ValueId> values) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [kept, graph] : inspected_)
        if (std::ranges::equal(kept, values)) return graph;
    Graph graph = built_;
    graph.kept.assign(values.begin(), values.end());
    std::vector<ValueId> key = graph.kept;
    graph = optimise(std::move(graph), {false, false, false}, target_);
    return inspected_.emplace_back(std::move(key), std::move(graph)).second;
}

void Executor::inspect(const float* image, std::span<const ValueId> values,
                       const std::function<void(std::span<const Rows>)>& see) const {
    const Graph& graph = graph_keeping(values);
    for (int threads = grantable_threads(threads_), granted = 0; granted != threads;) {
        if (granted > 0) threads = granted;
        const TeamLease lease(contexts_, contexts_.take(graph, {0, 0, 1}, threads));
        Context& context = *lease.team().gangs[0].context;
        context.set_image(image);
        granted = threads;
        parallel(threads, [&](int thread, int got) {
            if (got == threads)
                context.run(thread);
            else if (thread == 0)
                granted = got;
        });
        if (granted != threads) continue;
        context.rethrow_error();
        std::vector<Rows> rows;
        for (const ValueId id : graph.kept) rows.push_back(context.result(id));
        see(rows);
    }
}

}  // namespace vit::inline internal
