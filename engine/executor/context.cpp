#include "engine/executor/context.h"

#include <chrono>
#include <utility>

#include "engine/executor/bind.h"
#include "engine/executor/workspace.h"
#include "engine/kernels/tile_state.h"

namespace vit::inline internal {

Context::Context(const Graph& graph, PreparedModel& model, Shares shares, std::int64_t images)
    : graph_(graph),
      kernels_(model.kernels()),
      images_(static_cast<std::size_t>(images), nullptr),
      shares_(std::move(shares)),
      gang_(static_cast<std::size_t>(shares_.threads())),
      worked_(gang_.size()),
      barrier_(shares_.threads()) {
    parallel(1, [&](int, int) {  // oneDNN builds primitives for the number of threads that it sees
        const std::vector<Stage> stages = schedule(graph, shares_.threads());
        plan_ =
            make_plan(graph, stages, shares_, storage_rules(graph, model, shares_, images), images);
        arena_ = AlignedBuffer(plan_.arena_bytes);
        for (int t = 0; t < shares_.threads(); ++t) {
            Member& member = gang_[static_cast<std::size_t>(t)];
            member.scratch = AlignedBuffer(plan_.scratch_bytes);
            member.seconds.assign(graph.nodes.size(), 0.0);
            member.stages = bind({graph, stages, model, plan_, arena_.data(), member.scratch.data(),
                                  images_.data(), images, shares_, t});
        }
    });
}

namespace {

using Clock = std::chrono::steady_clock;

/// Calls `work`. Where `measured`, adds its duration in seconds to `sum`.
template <bool measured, class Work>
void add_seconds([[maybe_unused]] double& sum, const Work& work) {
    if constexpr (measured) {
        const auto start = Clock::now();
        work();
        sum += std::chrono::duration<double>(Clock::now() - start).count();
    } else {
        work();
    }
}

}  // namespace

template <bool profiled>
void Context::run_stages(std::size_t thread) noexcept {
    Member& member = gang_[thread];
    const kernels::TileScope tile_scope(kernels_.tile_registers());
    double waited = 0;
    const auto start = Clock::now();
    for (const std::vector<Step>& steps : member.stages) {
        if (!member.error) {
            try {
                for (const Step& step : steps)
                    add_seconds<profiled>(member.seconds[static_cast<std::size_t>(step.node)],
                                          [&] { execute(step, kernels_); });
            } catch (...) {
                member.error = std::current_exception();
            }
        }
        if (gang_.size() > 1) add_seconds<true>(waited, [&] { barrier_.wait(); });
    }
    worked_[thread] = std::chrono::duration<double>(Clock::now() - start).count() - waited;
    if constexpr (profiled) member.waiting += waited;
}

void Context::run(int thread) noexcept {
    run_stages<false>(static_cast<std::size_t>(thread));
}
void Context::run_profiled(int thread) noexcept {
    run_stages<true>(static_cast<std::size_t>(thread));
}

void Context::rethrow_error() {
    std::exception_ptr first;
    for (Member& member : gang_)
        if (std::exception_ptr error = std::exchange(member.error, nullptr); error && !first)
            first = std::move(error);
    if (first) std::rethrow_exception(first);
}

double Context::take_seconds(std::size_t node) {
    double sum = 0;
    for (Member& member : gang_) sum += std::exchange(member.seconds[node], 0.0);
    return sum;
}

double Context::take_waiting() {
    double sum = 0;
    for (Member& member : gang_) sum += std::exchange(member.waiting, 0.0);
    return sum;
}

Rows Context::result(ValueId id, std::int64_t index) const {
    const Placement& p = plan_.values[static_cast<std::size_t>(id)];
    const Value& value = graph_.value(id);
    return {arena_.data() + p.offset +
                (p.row + index * p.image_rows) * p.stride *
                    static_cast<std::int64_t>(item_size(value.type)),
            value.rows, value.cols, p.stride, value.type};
}

}  // namespace vit::inline internal
