#include "engine/executor/executor.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>

#include "engine/graph/build_vit.h"

namespace vit::inline internal {

namespace {

/// The graph whose linears every other variant shares: all results, so all that any variant needs.
Graph graph_to_pack(const Graph& built, const Target& target) {
    return optimise(built, {true, true, true}, target);
}

/// `index`: of the image in the context's stack.
void copy_result(const Context& context, std::int64_t index, ValueId id, float* to,
                 std::int64_t image) {
    if (to == nullptr) return;
    const Rows rows = context.result(id, index);
    to += image * rows.count * rows.cols;
    for (std::int64_t r = 0; r < rows.count; ++r)
        std::memcpy(to + r * rows.cols, rows.row(r),
                    static_cast<std::size_t>(rows.cols) * sizeof(float));
}

/// Bytes of an element of the node's weights, as they are packed.
std::size_t weight_size(const Graph& graph, const Node& node) {
    if (const auto* embed = std::get_if<op::Embed>(&node.op)) return item_size(embed->type);
    return std::holds_alternative<op::Linear>(node.op) ? item_size(graph.value(node.inputs[0]).type)
                                                       : sizeof(float);
}

/// Bytes of weights and activations that a node touches once.
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

}  // namespace

/// A team while a call uses it.
struct Executor::Lease {
    const Executor& executor;
    Variant& variant;
    std::unique_ptr<Team> team;

    Lease(const Executor& e, Variant& v, const Split& split)
        : executor(e), variant(v), team(e.take(v, split)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { executor.give_back(variant, std::move(team)); }
};

Executor::Executor(const ModelFile& file, ImageSize image_size, const KernelSet& kernels,
                   int threads, DType precision, std::int64_t stack)
    : built_(build_vit(file.header().config, image_size)),
      target_{precision, kernels.tiles()},
      threads_(threads),
      stack_(stack > 0 ? std::min(stack, most_stacked)
                       : stack_of(built_.value(built_.tokens).rows,
                                  kernels.tiles() && precision == DType::bf16)),
      model_(file, image_size, graph_to_pack(built_, target_), kernels, threads) {}

Executor::Variant& Executor::variant(const Demand& demand) const {
    const std::lock_guard lock(mutex_);
    for (auto& [key, variant] : variants_)
        if (key == demand) return variant;
    return variants_.emplace_back(demand, Variant(optimised(demand))).second;
}

Executor::Split Executor::split(std::int64_t count) const {
    const std::int64_t rest = count % threads_, whole = count - rest,
                       round = stack_ > 1 ? stack_ * threads_ : count + 1;
    const std::int64_t stacked = whole / round * round;
    return {stacked, whole - stacked, rest};
}

std::unique_ptr<Executor::Team> Executor::take(Variant& variant, const Split& split) const {
    const std::lock_guard lock(mutex_);
    std::unique_ptr<Team> team;
    if (variant.idle.empty()) {
        team = std::make_unique<Team>();
    } else {
        team = std::move(variant.idle.back());
        variant.idle.pop_back();
    }
    const auto fill = [&](std::vector<std::unique_ptr<Context>>& contexts, std::int64_t images) {
        while (static_cast<int>(contexts.size()) < threads_)
            contexts.push_back(std::make_unique<Context>(variant.graph, model_, Shares(1), images));
    };
    if (split.stacked > 0) fill(team->stacks, stack_);
    if (split.alone > 0) fill(team->alone, 1);
    if (split.rest > 0) make_gangs(variant.graph, team->gangs[split.rest], split.rest);
    return team;
}

void Executor::make_gangs(const Graph& graph, std::vector<Gang>& gangs, std::int64_t rest) const {
    for (Gang& gang : gangs)
        if (const std::optional<Shares> better = gang.balance.better(gang.context->shares()))
            gang.context = std::make_unique<Context>(graph, model_, *better);
    const std::int64_t rows = built_.value(built_.tokens).rows;
    for (std::int64_t g = std::ssize(gangs); g < rest; ++g) {
        const int threads = gang_start(g + 1, rest) - gang_start(g, rest);
        gangs.push_back(
            {std::make_unique<Context>(graph, model_, Shares(threads)), Balance(rows, threads)});
    }
}

void Executor::learn_speeds(std::vector<Gang>& gangs) {
    for (Gang& gang : gangs)
        if (gang.context->image() != nullptr)
            gang.balance.add(gang.context->worked(), gang.context->shares());
}

void Executor::give_back(Variant& variant, std::unique_ptr<Team> team) const noexcept {
    const std::lock_guard lock(mutex_);
    try {
        variant.idle.push_back(std::move(team));
    } catch (const std::bad_alloc&) {
        // Not kept; the next call makes another.
    }
}

std::int64_t Executor::image_floats() const {
    return built_.value(built_.image).rows * built_.value(built_.image).cols;
}

void Executor::run(const float* images, std::int64_t count, const ResultPointers& results) const {
    run(
        count, [&](std::int64_t image, int) { return images + image * image_floats(); }, results,
        [](std::int64_t) {});
}

void Executor::run(std::int64_t count, ImageSource source, const ResultPointers& results,
                   ImageFinished finished) const {
    run_batch<false>(count, source, results, finished, nullptr);
}

RunProfile Executor::profile(const float* images, std::int64_t count) const {
    RunProfile profile;
    std::vector<float> logits(static_cast<std::size_t>(count * built_.value(built_.logits).cols));
    run_batch<true>(
        count, [&](std::int64_t image, int) { return images + image * image_floats(); },
        {logits.data(), nullptr, nullptr}, [](std::int64_t) {}, &profile);
    return profile;
}

template <bool profiled>
void Executor::run_batch(std::int64_t count, ImageSource source, const ResultPointers& results,
                         ImageFinished finished, [[maybe_unused]] RunProfile* profile) const {
    if (count <= 0) return;
    Variant& v = variant(
        {results.logits != nullptr, results.features != nullptr, results.tokens != nullptr});
    const Graph& graph = v.graph;

    const Split split = this->split(count);
    const std::int64_t rest = split.rest, whole = count - rest;
    Lease lease(*this, v, split);
    Team& team = *lease.team;
    std::vector<Gang>* const gangs = rest > 0 ? &team.gangs.at(rest) : nullptr;

    const auto run_part = [&](Context& context, int thread) {
        if constexpr (profiled)
            context.run_profiled(thread);
        else
            context.run(thread);
    };
    const auto finish = [&](const Context& context, std::int64_t index, std::int64_t image) {
        copy_result(context, index, graph.logits, results.logits, image);
        copy_result(context, index, graph.features, results.features, image);
        copy_result(context, index, graph.tokens, results.tokens, image);
        finished(image);
    };
    using Clock = std::chrono::steady_clock;
    std::vector<Clock::time_point> began, ended;  // by thread
    std::vector<Clock::duration> waited;          // for images of gangs
    if constexpr (profiled) {
        began.resize(static_cast<std::size_t>(threads_));
        ended.resize(began.size());
        waited.resize(began.size());
    }
    std::atomic<std::int64_t> next = 0;
    std::atomic<bool> failed = false;
    Barrier gangs_have_images(threads_);
    // The next image before `end`, or -1.
    const auto take_before = [&](std::int64_t end) {
        std::int64_t image = next.load(std::memory_order_relaxed);
        while (image < end &&
               !next.compare_exchange_weak(image, image + 1, std::memory_order_relaxed)) {
        }
        return image < end ? image : -1;
    };
    // Images that are left out leave their places to others; places that stay empty at the end run
    // the first image again.
    const auto run_stacks = [&](int thread) {
        Context& context = *team.stacks[static_cast<std::size_t>(thread)];
        std::array<std::int64_t, most_stacked> images;
        std::exception_ptr error;  // of an image: those before it are run first
        for (std::int64_t image = 0; image >= 0 && !error;) {
            std::int64_t filled = 0;
            while (filled < stack_ && (image = take_before(split.stacked)) >= 0) {
                const std::int64_t room =
                    filled == 0 ? thread : 2 * threads_ + thread * (stack_ - 1) + filled - 1;
                const float* data = nullptr;
                try {
                    data = source(image, static_cast<int>(room));
                } catch (...) {
                    error = std::current_exception();
                    break;
                }
                if (data == nullptr) continue;
                context.set_image(data, filled);
                images[static_cast<std::size_t>(filled++)] = image;
            }
            if (filled == 0) break;
            for (std::int64_t i = filled; i < stack_; ++i) context.set_image(context.image(), i);
            run_part(context, 0);
            context.rethrow_error();
            for (std::int64_t i = 0; i < filled; ++i)
                finish(context, i, images[static_cast<std::size_t>(i)]);
        }
        if (error) std::rethrow_exception(error);
    };
    const auto run_thread = [&](int thread) {
        std::exception_ptr error;  // kept until no thread waits for this one
        try {
            if (split.stacked > 0) run_stacks(thread);
            for (std::int64_t image;
                 (image = next.fetch_add(1, std::memory_order_relaxed)) < count;) {
                if (image < whole) {
                    Context& context = *team.alone[static_cast<std::size_t>(thread)];
                    context.set_image(source(image, thread));
                    if (context.image() == nullptr) continue;
                    run_part(context, 0);
                    context.rethrow_error();
                    finish(context, 0, image);
                } else {
                    const std::int64_t gang = image - whole;
                    (*gangs)[static_cast<std::size_t>(gang)].context->set_image(
                        source(image, threads_ + static_cast<int>(gang)));
                }
            }
        } catch (...) {
            error = std::current_exception();
            failed = true;
            next = count;
        }
        if (rest > 0) {
            [[maybe_unused]] const Clock::time_point before = Clock::now();
            gangs_have_images.wait();
            if constexpr (profiled)
                waited[static_cast<std::size_t>(thread)] = Clock::now() - before;
            std::int64_t gang = 0;
            while (gang_start(gang + 1, rest) <= thread) ++gang;
            Context& context = *(*gangs)[static_cast<std::size_t>(gang)].context;
            const int member = thread - gang_start(gang, rest);
            if (!failed && context.image() != nullptr) {
                run_part(context, member);
                if (member == 0) {
                    context.rethrow_error();
                    finish(context, 0, whole + gang);
                }
            }
        }
        if (error) std::rethrow_exception(error);
    };
    [[maybe_unused]] const Clock::time_point start = Clock::now();
    parallel(threads_, [&](int thread) {
        const auto t = static_cast<std::size_t>(thread);
        if constexpr (profiled) began[t] = Clock::now();
        run_thread(thread);
        if constexpr (profiled) ended[t] = Clock::now();
    });
    [[maybe_unused]] const Clock::time_point end = Clock::now();
    if (rest > 0) learn_speeds(*gangs);
    const auto for_contexts = [&](auto&& f) {
        for (std::unique_ptr<Context>& context : team.stacks) f(*context);
        for (std::unique_ptr<Context>& context : team.alone) f(*context);
        if (rest > 0)
            for (Gang& gang : *gangs) f(*gang.context);
    };

    if constexpr (profiled) {
        const auto seconds = [](Clock::duration time) {
            return std::chrono::duration<double>(time).count();
        };
        profile->wall = seconds(end - start);
        for (std::size_t t = 0; t < began.size(); ++t)
            profile->waiting += seconds(began[t] - start + waited[t] + (end - ended[t]));
        for_contexts([&](Context& context) { profile->waiting += context.take_waiting(); });
        for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
            const Node& node = graph.nodes[n];
            NodeTime time{node.name, kind_name(node.op), 0,
                          flop(graph, node) * static_cast<double>(count),
                          traffic(graph, node, model_.weights()) * static_cast<double>(count)};
            for_contexts([&](Context& context) { time.seconds += context.take_seconds(n); });
            if (!std::holds_alternative<op::SelectRows>(node.op))
                profile->nodes.push_back(std::move(time));
        }
    }
}

}  // namespace vit::inline internal
