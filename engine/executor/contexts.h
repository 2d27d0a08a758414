// Contexts that calls take and give back, so that few are created and few are kept.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/executor/balance.h"
#include "engine/executor/batch.h"
#include "engine/executor/context.h"

namespace vit::inline internal {

/// Describes the runs that a context can do.
struct ContextKind {
    const Graph* graph = nullptr;
    int first_thread = 0;  ///< of the gang; 0 for a single thread, whichever it is
    int threads = 1;
    std::int64_t images = 1;  ///< above 1: a stack
    bool operator==(const ContextKind&) const = default;
};

/// A context, and how fast its threads have been.
struct Gang {
    ContextKind kind;
    std::unique_ptr<Context> context;
    Balance balance;
    std::uint64_t used = 0;  ///< number of the last call that used it
};

/// The contexts that one call uses.
struct Team {
    std::vector<Gang> stacks;       ///< one per thread, each for a stack of images
    std::vector<Gang> alone;        ///< one per thread, each for one image
    std::vector<Gang> gangs;        ///< one per image that several threads share
    std::vector<ThreadTime> times;  ///< by thread
};

/// Any number of threads may take and give back at once. The lock for that is not held while a
/// context is created. Contexts are created one at a time.
class Contexts {
  public:
    /// `rows`: rows of an image, which the threads of a gang share. `stack`: images in a stack.
    Contexts(PreparedModel& model, std::int64_t rows, std::int64_t stack)
        : model_(model), rows_(rows), stack_(stack) {}

    /// Returns a team for a call that is split this way between `threads` threads. Throws what
    /// Context throws.
    std::unique_ptr<Team> take(const Graph& graph, const Split& split, int threads);
    /// Learns how fast the threads of the team were, and keeps its contexts for later calls. Keeps
    /// at most three contexts per thread for each of the calls that ran at the same time; drops the
    /// least recently used.
    void give_back(std::unique_ptr<Team> team) noexcept;

    /// Frees the contexts that no call uses.
    void trim() noexcept;
    /// Bytes of the contexts that no call uses.
    std::size_t idle_bytes() const;

  private:
    std::unique_ptr<Team> idle_team(int threads);
    /// Returns an idle context, or a new one.
    Gang one(const ContextKind& kind);
    void drop_oldest(std::vector<Gang>& dropped);

    PreparedModel& model_;
    std::int64_t rows_, stack_;
    std::mutex making_;  // PreparedModel can prepare primitives for only one thread at a time
    mutable std::mutex mutex_;
    std::vector<Gang> idle_;
    std::vector<std::unique_ptr<Team>> idle_teams_;  // empty; their vectors have capacity
    std::size_t calls_now_ = 0, most_calls_ = 0, threads_ = 1;
    std::uint64_t calls_ = 0;
};

/// Gives a team back when a call ends.
class TeamLease {
  public:
    TeamLease(Contexts& contexts, std::unique_ptr<Team> team)
        : contexts_(contexts), team_(std::move(team)) {}
    TeamLease(const TeamLease&) = delete;
    TeamLease& operator=(const TeamLease&) = delete;
    ~TeamLease() { contexts_.give_back(std::move(team_)); }

    Team& team() const { return *team_; }

  private:
    Contexts& contexts_;
    std::unique_ptr<Team> team_;
};

}  // namespace vit::inline internal
