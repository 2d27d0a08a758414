// Contexts that calls take and give back: few are made, and few are kept.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/executor/balance.h"
#include "engine/executor/batch.h"
#include "engine/executor/context.h"

namespace vit::inline internal {

/// Which runs a context is for.
struct ContextKind {
    const Graph* graph = nullptr;
    int first_thread = 0;  ///< of the gang; 0 where it is one thread, whichever that is
    int threads = 1;
    std::int64_t images = 1;  ///< more than one: a stack
    bool operator==(const ContextKind&) const = default;
};

/// A context, and what was learnt of the threads that run it.
struct Gang {
    ContextKind kind;
    std::unique_ptr<Context> context;
    Balance balance;
    std::uint64_t used = 0;  ///< by the how-manieth call
};

/// What one call uses.
struct Team {
    std::vector<Gang> stacks;       ///< one a thread, each with many images
    std::vector<Gang> alone;        ///< one a thread, each with one image
    std::vector<Gang> gangs;        ///< one for each image that threads share
    std::vector<ThreadTime> times;  ///< by thread
};

/// Any number of threads may take and give back at once. Contexts are made outside of the lock that
/// taking and giving back need, one at a time.
class Contexts {
  public:
    /// `rows`: those that the threads of a gang share. `stack`: images of a stack.
    Contexts(PreparedModel& model, std::int64_t rows, std::int64_t stack)
        : model_(model), rows_(rows), stack_(stack) {}

    /// A team for such a split of a call between `threads` threads. Throws what Context throws.
    std::unique_ptr<Team> take(const Graph& graph, const Split& split, int threads);
    /// Learns how fast the team's threads were, and keeps its contexts for other calls: no more
    /// than three times the threads for every call that there was at once, the latest ones.
    void give_back(std::unique_ptr<Team> team) noexcept;

    /// Frees what no call uses.
    void trim() noexcept;
    /// Bytes of what no call uses.
    std::size_t idle_bytes() const;

  private:
    std::unique_ptr<Team> idle_team(int threads);
    /// An idle context, or a new one.
    Gang one(const ContextKind& kind);
    void drop_oldest(std::vector<Gang>& dropped);

    PreparedModel& model_;
    std::int64_t rows_, stack_;
    std::mutex making_;  // PreparedModel prepares primitives for one thread at a time
    mutable std::mutex mutex_;
    std::vector<Gang> idle_;
    std::vector<std::unique_ptr<Team>> idle_teams_;  // empty; their vectors have room
    std::size_t calls_now_ = 0, most_calls_ = 0, threads_ = 1;
    std::uint64_t calls_ = 0;
};

}  // namespace vit::inline internal
