// Runs batches: splits the work over threads and keeps the contexts between calls.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <span>
#include <vector>

#include "engine/executor/batch.h"
#include "engine/executor/contexts.h"
#include "engine/graph/passes/passes.h"

namespace vit::inline internal {

/// The time of one node in a profiled run.
struct NodeTime {
    std::string name, kind;
    double seconds = 0;  ///< of all threads together
    double flop = 0;
    double bytes = 0;
};

/// How the threads spent their time in a run. `nodes` and `waiting` add up to threads × wall,
/// except for the time between the nodes, for instance to copy results.
struct RunProfile {
    std::vector<NodeTime> nodes;
    /// s, of all threads together: until they start, at barriers, and until the last thread ends
    double waiting = 0;
    double wall = 0;  ///< s, from before the threads start until all have ended
};

/// Any number of threads may call the const members at once.
class Executor {
  public:
    /// `precision`: f32, or bf16 or i8 where `kernels` has kernels for it. `stack`: how many images
    /// a thread runs at once where it has that many, at most most_stacked; 0: as stack_of() says.
    Executor(const ModelFile& file, ImageSize image_size, const KernelSet& kernels, int threads,
             DType precision = DType::f32, std::int64_t stack = 0);

    const Graph& built() const { return built_; }
    /// The graph after all passes.
    Graph optimised(const Demand& demand) const { return optimise(built_, demand, target_); }
    const KernelSet& kernels() const { return model_.kernels(); }
    const PreparedModel& model() const { return model_; }

    /// While at least as many images as threads remain, each thread runs its own images, one by one
    /// or in stacks. Gangs of threads share the remaining images by rows, and faster threads get
    /// more rows. The results have the same bits for every split. Threads call images.fill once for
    /// each image, in ascending order, and images.done when its results are written. If one of them
    /// throws, the images that have started are finished, the run ends, and the exception is
    /// rethrown.
    void run(const ImageBatch& images, const ResultPointers& results) const;

    /// Runs the images for their logits and measures each node.
    RunProfile profile(const ImageBatch& images) const;

    /// Runs one image on all threads and calls `see` with the rows of `values`, which are values of
    /// built(), in the model's precision. The rows are valid during the call. What only later
    /// values need is not computed. The graph and its contexts are made by the first call with
    /// these values and kept, so callers should use few different sets of values.
    void inspect(const float* image, std::span<const ValueId> values,
                 const std::function<void(std::span<const Rows>)>& see) const;

    /// Frees the memory that no call uses. Later calls allocate again.
    void trim() const noexcept { contexts_.trim(); }
    /// Bytes of activation memory that is kept for later calls.
    std::size_t idle_bytes() const { return contexts_.idle_bytes(); }

  private:
    std::size_t image_floats() const;
    /// The graph that computes the requested results. It is built when it is first needed.
    const Graph& graph_of(const ResultPointers& results) const;
    /// The graph for inspect(). It is built when it is first needed.
    const Graph& graph_keeping(std::span<const ValueId> values) const;
    /// Does a whole call. Where `profile` is not null, measures the call and stores the times
    /// there.
    void run_batch(const ImageBatch& images, const ResultPointers& results,
                   RunProfile* profile) const;
    /// Tries the call on `threads` threads. Returns how many threads OpenMP gave; where that is
    /// fewer, nothing has run.
    int run_on(int threads, const Graph& graph, const ImageBatch& images, float* rooms,
               const ResultPointers& results, RunProfile* profile) const;
    void collect(const Graph& graph, std::int64_t count, Team& team, double wall,
                 RunProfile& profile) const;

    Graph built_;
    Target target_;
    int threads_;
    std::int64_t stack_;
    mutable PreparedModel model_;
    mutable Contexts contexts_;
    mutable std::mutex mutex_;  // guards the lists of graphs
    mutable std::list<std::pair<Demand, Graph>> graphs_;
    mutable std::list<std::pair<std::vector<ValueId>, Graph>> inspected_;
};

}  // namespace vit::inline internal
