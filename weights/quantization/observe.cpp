#include "weights/quantization/observe.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>

#include "engine/base/threads.h"
#include "engine/executor/context.h"
#include "engine/executor/prepared_model.h"
#include "engine/graph/passes/passes.h"
#include "engine/kernels/dispatch.h"
#include "engine/model/model_tensors.h"

namespace vit::inline internal {

namespace {

/// Each thread has a graph, in which the start is a constant that only this thread writes.
struct Member {
    Graph graph;
    std::vector<float> start;
    std::unique_ptr<Context> context;
};

std::string start_name(std::size_t thread) {
    return "start." + std::to_string(thread);
}

Graph graph_from(Graph graph, ValueId start, const std::string& constant) {
    if (start == graph.image) return graph;
    for (Node& node : graph.nodes)
        if (node.output == start) node = {node.name, op::Constant{constant}, {}, start};
    return graph;
}

}  // namespace

void observe(const Graph& built, const ModelWeights& weights, const Start& start,
             std::span<const ValueId> values,
             const std::function<void(std::size_t, std::size_t, MatrixView)>& see) {
    const Images& images = start.images;
    if (images.empty()) return;
    const std::vector<TensorView> views = weights.views();
    WeightMap map{views};
    std::vector<Member> members(
        std::min(static_cast<std::size_t>(usable_threads()), images.size()));
    for (std::size_t t = 0; t < members.size(); ++t) {
        Member& member = members[t];
        member.start.resize(images[0].size());
        map.view(start_name(t), member.start);
        member.graph = graph_from(built, start.value, start_name(t));
        member.graph.kept.assign(values.begin(), values.end());
        member.graph = optimise(std::move(member.graph), {false, false, false},
                                {DType::f32, false, int8_weights(views)});
    }
    const kernels::Table& table = kernels::select_table();
    const KernelSet kernels{table, nullptr, &kernels::int8_table_for(table.isa)};
    PreparedModel model(std::move(map), members[0].graph, kernels, usable_threads());
    for (Member& member : members)
        member.context = std::make_unique<Context>(member.graph, model, Shares(1));

    std::atomic<std::size_t> next = 0;
    parallel(static_cast<int>(members.size()), [&](int thread, int) {
        Member& member = members[static_cast<std::size_t>(thread)];
        for (std::size_t i; (i = next.fetch_add(1)) < images.size();) {
            std::ranges::copy(images[i], member.start.begin());
            member.context->set_image(member.start.data());
            member.context->run(0);
            member.context->rethrow_error();
            for (std::size_t v = 0; v < values.size(); ++v) {
                const Rows rows = member.context->result(member.graph.kept[v]);
                see(i, v, {rows.f32(), rows.count, rows.cols, rows.stride});
            }
        }
    });
}

}  // namespace vit::inline internal
