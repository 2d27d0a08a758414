#include "engine/executor/context.h"

#include <chrono>
#include <utility>

#include "engine/executor/bind.h"

namespace vit {

Context::Context(const Graph& graph, PreparedModel& model, int threads)
    : graph_(graph),
      kernels_(model.kernels()),
      gang_(static_cast<std::size_t>(threads)),
      barrier_(threads) {
    parallel(1, [&](int) {  // oneDNN makes primitives for the threads that it sees
        const std::vector<Stage> stages = schedule(graph, threads);
        plan_ = make_plan(graph, stages, threads, storage_rules(graph, model, threads));
        arena_ = AlignedBuffer(plan_.arena_bytes);
        for (int t = 0; t < threads; ++t) {
            Member& member = gang_[static_cast<std::size_t>(t)];
            member.scratch = AlignedBuffer(plan_.scratch_bytes);
            member.seconds.assign(graph.nodes.size(), 0.0);
            member.stages = bind({graph, stages, model, plan_, arena_.data(), member.scratch.data(),
                                  &image_, threads, t});
        }
    });
}

namespace {

/// Calls `work`; where profiled, adds the seconds that it took to `sum`.
template <bool profiled, class Work>
void add_seconds([[maybe_unused]] double& sum, const Work& work) {
    if constexpr (profiled) {
        using Clock = std::chrono::steady_clock;
        const auto start = Clock::now();
        work();
        sum += std::chrono::duration<double>(Clock::now() - start).count();
    } else {
        work();
    }
}

}  // namespace

template <bool profiled>
void Context::run_stages(Member& member) noexcept {
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
        if (gang_.size() > 1) add_seconds<profiled>(member.waiting, [&] { barrier_.wait(); });
    }
}

void Context::run(int thread) noexcept {
    run_stages<false>(gang_[static_cast<std::size_t>(thread)]);
}
void Context::run_profiled(int thread) noexcept {
    run_stages<true>(gang_[static_cast<std::size_t>(thread)]);
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

Rows Context::result(ValueId id) const {
    const Placement& p = plan_.values[static_cast<std::size_t>(id)];
    const Value& value = graph_.value(id);
    return {arena_.data() + p.offset +
                p.row * p.stride * static_cast<std::int64_t>(item_size(value.type)),
            value.rows, value.cols, p.stride, value.type};
}

}  // namespace vit
