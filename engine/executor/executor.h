// Runs batches: splits the work over threads and keeps the contexts between calls.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "engine/executor/balance.h"
#include "engine/executor/context.h"
#include "engine/graph/passes/passes.h"

namespace vit::inline internal {

/// Where the results of a batch go, one row an image; nullptr: not asked for.
struct ResultPointers {
    float* logits = nullptr;
    float* features = nullptr;
    float* tokens = nullptr;

    bool any() const { return logits != nullptr || features != nullptr || tokens != nullptr; }
};

/// Tells where an image of a batch lies, [channels, height, width], until it is done; nullptr: it
/// is left out. Called once an image, by any thread. No other image has the same `room` (0 up to
/// Executor::rooms()) until this one is done.
using ImageSource = FunctionRef<const float*(std::int64_t image, int room)>;
/// Told by any thread that the results of an image are written.
using ImageFinished = FunctionRef<void(std::int64_t image)>;

/// Time of one node in a profiled run.
struct NodeTime {
    std::string name, kind;
    double seconds = 0;  ///< of all threads together
    double flop = 0;
    double bytes = 0;
};

/// Where the threads' time in a run went. The nodes and `waiting` add up to threads × wall but for
/// what the loops around the nodes cost, results being copied among it.
struct RunProfile {
    std::vector<NodeTime> nodes;
    double waiting = 0;  ///< s, of all threads: to start, at barriers, for the last one to end
    double wall = 0;     ///< s, from before the threads start until all have ended
};

/// Any number of threads may call the const members at once.
class Executor {
  public:
    /// `precision`: f32, or bf16, which needs kernels for it. `stack`: images that a thread runs at
    /// once where it has so many, up to most_stacked; 0: what stack_of() says.
    Executor(const ModelFile& file, ImageSize image_size, const KernelSet& kernels, int threads,
             DType precision = DType::f32, std::int64_t stack = 0);

    /// Images that a run may ask for before the first of them is done.
    int rooms() const { return threads_ * (static_cast<int>(stack_) + 1); }

    const Graph& built() const { return built_; }
    /// The graph after all passes.
    Graph optimised(const Demand& demand) const { return optimise(built_, demand, target_); }
    const KernelSet& kernels() const { return model_.kernels(); }
    const PreparedModel& model() const { return model_; }

    /// Images [count, channels, height, width]. While there are as many images as threads, each
    /// thread runs its own, or stacks of them; the rest are shared by gangs of threads, by rows and
    /// by how fast the threads have been. The split does not change a bit of the results.
    void run(const float* images, std::int64_t count, const ResultPointers& results) const;

    /// The same with images that each thread asks for as it comes to them, in ascending order.
    /// What `source` or `finished` throws ends the run after the images under way, and is rethrown.
    void run(std::int64_t count, ImageSource source, const ResultPointers& results,
             ImageFinished finished) const;

    /// As run() for logits, measuring each node.
    RunProfile profile(const float* images, std::int64_t count) const;

  private:
    /// Threads that share an image.
    struct Gang {
        std::unique_ptr<Context> context;
        Balance balance;
    };
    /// What one call needs, by how it splits its images; kept between calls.
    struct Team {
        std::vector<std::unique_ptr<Context>> stacks;     ///< one a thread, each with many images
        std::vector<std::unique_ptr<Context>> alone;      ///< one a thread, each with one image
        std::map<std::int64_t, std::vector<Gang>> gangs;  ///< by images that share the threads
    };
    /// A graph and the teams that are idle.
    struct Variant {
        explicit Variant(Graph g) : graph(std::move(g)) {}
        Graph graph;
        std::vector<std::unique_ptr<Team>> idle;
    };
    struct Lease;
    std::int64_t image_floats() const;
    template <bool profiled>
    void run_batch(std::int64_t count, ImageSource source, const ResultPointers& results,
                   ImageFinished finished, RunProfile* profile) const;
    Variant& variant(const Demand& demand) const;
    /// How the images of a call are shared out: the first ones in stacks, then one a thread, then
    /// the rest by gangs.
    struct Split {
        std::int64_t stacked, alone, rest;
    };
    Split split(std::int64_t count) const;
    /// An idle team, or a new one, with contexts for such a split.
    std::unique_ptr<Team> take(Variant& variant, const Split& split) const;
    /// `rest` gangs, their rows shared as the last calls' speeds suggest.
    void make_gangs(const Graph& graph, std::vector<Gang>& gangs, std::int64_t rest) const;
    /// After a run.
    static void learn_speeds(std::vector<Gang>& gangs);
    void give_back(Variant& variant, std::unique_ptr<Team> team) const noexcept;
    /// First thread of a gang when `rest` images share all threads as equally as they can.
    int gang_start(std::int64_t gang, std::int64_t rest) const {
        return static_cast<int>(gang * threads_ / rest);
    }

    Graph built_;
    Target target_;
    int threads_;
    std::int64_t stack_;
    // Contexts and primitives are made on demand, under the lock; running needs it to take and give
    // back only.
    mutable std::mutex mutex_;
    mutable PreparedModel model_;
    mutable std::list<std::pair<Demand, Variant>> variants_;
};

}  // namespace vit::inline internal
