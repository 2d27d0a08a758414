// Runs batches: splits the work over threads and keeps the contexts between calls.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <span>
#include <vector>

#include "engine/executor/batch.h"
#include "engine/executor/contexts.h"
#include "engine/graph/passes/passes.h"

namespace vit::inline internal {

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

    /// Frees the memory that no call uses; the next calls allocate again.
    void trim() const noexcept { contexts_.trim(); }
    /// Bytes of activations that are kept for later calls.
    std::size_t idle_bytes() const { return contexts_.idle_bytes(); }

  private:
    std::int64_t image_floats() const;
    /// The graph of the results that are asked for, made when it is first needed.
    const Graph& graph_of(const ResultPointers& results) const;
    /// A whole call; `profile`, where there is one, becomes what it measures.
    void run_batch(std::int64_t count, ImageSource source, const ResultPointers& results,
                   ImageFinished finished, RunProfile* profile) const;
    /// One try with so many threads. Returns how many there were; with fewer nothing was run.
    int run_on(int threads, const Graph& graph, std::int64_t count, ImageSource source,
               const ResultPointers& results, ImageFinished finished, RunProfile* profile) const;
    void collect(const Graph& graph, std::int64_t count, Team& team, double wall,
                 RunProfile& profile) const;

    Graph built_;
    Target target_;
    int threads_;
    std::int64_t stack_;
    mutable PreparedModel model_;
    mutable Contexts contexts_;
    mutable std::mutex mutex_;  // of graphs_
    mutable std::list<std::pair<Demand, Graph>> graphs_;
};

}  // namespace vit::inline internal
