#include "engine/executor/executor.h"

#include <algorithm>
#include <memory>

#include "engine/executor/batch_run.h"
#include "engine/graph/build_vit.h"
#include "engine/model/model_tensors.h"

namespace vit::inline internal {

namespace {

/// The graph whose weights are packed. It computes all results, so it contains the linears of every
/// other graph of the model.
Graph graph_to_pack(const Graph& built, const Target& target) {
    return optimise(built, {true, true, true}, target);
}

/// Bytes of one element of the node's weights, after packing.
std::size_t weight_size(const Graph& graph, const Node& node) {
    if (const auto* embed = std::get_if<op::Embed>(&node.op)) return item_size(embed->type);
    return std::holds_alternative<op::Linear>(node.op) ? item_size(graph.value(node.inputs[0]).type)
                                                       : sizeof(float);
}

/// Bytes of the weights and activations that a node reads or writes, each counted once.
double traffic(const Graph& graph, const Node& node, const WeightMap& weights) {
    double bytes = 0;
    const auto add = [&](ValueId id) {
        const Value& v = graph.value(id);
        bytes += static_cast<double>(v.rows) * static_cast<double>(v.cols) *
                 static_cast<double>(item_size(v.type));
    };
    for (ValueId id : node.inputs) add(id);
    add(node.output);
    for (const std::string& name : weight_names(node.op))
        bytes += static_cast<double>(weights.tensor(name).numel()) *
                 static_cast<double>(weight_size(graph, node));
    return bytes;
}

/// With i8, everything that is not int8 runs in the narrowest type that the kernels have.
Target target_of(const ModelFile& file, const KernelSet& kernels, DType precision) {
    Target target{precision, kernels.tiles()};
    if (precision != DType::i8) return target;
    target.precision = kernels.bf16 != nullptr ? DType::bf16 : DType::f32;
    target.int8_weights = int8_weights(file.tensors());
    return target;
}

}  // namespace

Executor::Executor(const ModelFile& file, ImageSize image_size, const KernelSet& kernels,
                   int threads, DType precision, std::int64_t stack)
    : built_(build_vit(file.header().config, image_size)),
      target_(target_of(file, kernels, precision)),
      threads_(threads),
      stack_(stack > 0 ? std::min(stack, most_stacked)
                       : stack_of(built_.value(built_.tokens).rows,
                                  kernels.tiles() && precision == DType::bf16)),
      model_(file, image_size, graph_to_pack(built_, target_), kernels, threads),
      contexts_(model_, built_.value(built_.tokens).rows, stack_) {}

const Graph& Executor::graph_of(const ResultPointers& results) const {
    const Demand demand{results.logits != nullptr, results.features != nullptr,
                        results.tokens != nullptr};
    const std::lock_guard lock(mutex_);
    for (const auto& [key, graph] : graphs_)
        if (key == demand) return graph;
    return graphs_.emplace_back(demand, optimised(demand)).second;
}

std::size_t Executor::image_floats() const {
    const Value& image = built_.value(built_.image);
    return static_cast<std::size_t>(image.rows * image.cols);
}

void Executor::run(const ImageBatch& images, const ResultPointers& results) const {
    run_batch(images, results, nullptr);
}

RunProfile Executor::profile(const ImageBatch& images) const {
    RunProfile profile;
    std::vector<float> logits(
        static_cast<std::size_t>(images.count * built_.value(built_.logits).cols));
    run_batch(images, {logits.data(), nullptr, nullptr}, &profile);
    return profile;
}

void Executor::run_batch(const ImageBatch& images, const ResultPointers& results,
                         RunProfile* profile) const {
    if (images.count <= 0) return;
    const Graph& graph = graph_of(results);
    std::unique_ptr<float[]> rooms;
    if (images.data == nullptr)
        rooms = std::make_unique_for_overwrite<float[]>(
            static_cast<std::size_t>(BatchRun::rooms(threads_, stack_)) * image_floats());
    // OpenMP may give fewer threads than requested. A split for fewer threads gives the same bits.
    for (int threads = grantable_threads(threads_), granted = 0; granted != threads;) {
        if (granted > 0) threads = granted;
        granted = run_on(threads, graph, images, rooms.get(), results, profile);
    }
}

int Executor::run_on(int threads, const Graph& graph, const ImageBatch& images, float* rooms,
                     const ResultPointers& results, RunProfile* profile) const {
    const Split split = split_of(images.count, threads, stack_);
    const TeamLease lease(contexts_, contexts_.take(graph, split, threads));
    const BatchRun::Call call{graph, split,   threads,           stack_, images, image_floats(),
                              rooms, results, profile != nullptr};
    BatchRun run(call, lease.team());
    int granted = threads;
    parallel(threads, [&](int thread, int got) {
        if (got == threads)
            run.run_thread(thread);
        else if (thread == 0)
            granted = got;
    });
    if (profile != nullptr && granted == threads)
        collect(graph, images.count, lease.team(), run.seconds(), *profile);
    return granted;
}

void Executor::collect(const Graph& graph, std::int64_t count, Team& team, double wall,
                       RunProfile& profile) const {
    const auto for_contexts = [&](auto&& f) {
        for (const std::vector<Gang>* gangs : {&team.stacks, &team.alone, &team.gangs})
            for (const Gang& gang : *gangs) f(*gang.context);
    };
    profile.wall = wall;
    for (const ThreadTime& time : team.times)
        profile.waiting += time.begun + time.waited + (wall - time.ended);
    for_contexts([&](Context& context) { profile.waiting += context.take_waiting(); });
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
        const Node& node = graph.nodes[n];
        NodeTime time{node.name, kind_name(node.op), 0,
                      flop(graph, node) * static_cast<double>(count),
                      traffic(graph, node, model_.weights()) * static_cast<double>(count)};
        for_contexts([&](Context& context) { time.seconds += context.take_seconds(n); });
        if (!std::holds_alternative<op::SelectRows>(node.op))
            profile.nodes.push_back(std::move(time));
    }
}

}  // namespace vit::inline internal
