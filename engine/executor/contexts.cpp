#include "engine/executor/contexts.h"

#include <algorithm>
#include <new>

namespace vit::inline internal {

std::unique_ptr<Team> Contexts::take(const Graph& graph, const Split& split, int threads) {
    std::unique_ptr<Team> team = idle_team(threads);
    try {
        const auto fill = [&](std::vector<Gang>& gangs, std::int64_t images) {
            while (static_cast<int>(gangs.size()) < threads)
                gangs.push_back(one({&graph, 0, 1, images}));
        };
        if (split.stacked > 0) fill(team->stacks, stack_);
        if (split.alone > 0) fill(team->alone, 1);
        for (std::int64_t g = 0; g < split.rest; ++g) {
            const int first = gang_start(g, split.rest, threads),
                      count = gang_start(g + 1, split.rest, threads) - first;
            team->gangs.push_back(one({&graph, count > 1 ? first : 0, count, 1}));
        }
        team->times.assign(static_cast<std::size_t>(threads), {});
    } catch (...) {
        give_back(std::move(team));
        throw;
    }
    return team;
}

std::unique_ptr<Team> Contexts::idle_team(int threads) {
    std::unique_ptr<Team> team;
    {
        const std::lock_guard lock(mutex_);
        ++calls_;
        most_calls_ = std::max(most_calls_, ++calls_now_);
        threads_ = std::max(threads_, static_cast<std::size_t>(threads));
        if (!idle_teams_.empty()) {
            team = std::move(idle_teams_.back());
            idle_teams_.pop_back();
        }
    }
    if (team) return team;
    try {
        return std::make_unique<Team>();
    } catch (...) {
        const std::lock_guard lock(mutex_);
        --calls_now_;
        throw;
    }
}

Gang Contexts::one(const ContextKind& kind) {
    const auto make = [&](Shares shares) {
        const std::lock_guard lock(making_);
        return std::make_unique<Context>(*kind.graph, model_, std::move(shares), kind.images);
    };
    {
        std::unique_lock lock(mutex_);
        // The context that was used last: its memory is most likely in a cache.
        const auto found = std::find_if(idle_.rbegin(), idle_.rend(),
                                        [&](const Gang& gang) { return gang.kind == kind; });
        if (found != idle_.rend()) {
            Gang gang = std::move(*found);
            idle_.erase(std::next(found).base());
            lock.unlock();
            if (const std::optional<Shares> better = gang.balance.better(gang.context->shares()))
                gang.context = make(*better);
            return gang;
        }
    }
    return {kind, make(Shares(kind.threads)), Balance(rows_, kind.threads), 0};
}

void Contexts::give_back(std::unique_ptr<Team> team) noexcept {
    for (Gang& gang : team->gangs)
        if (gang.context->image() != nullptr)
            gang.balance.add(gang.context->worked(), gang.context->shares());
    std::vector<Gang> dropped;  // freed after the lock is released
    const std::lock_guard lock(mutex_);
    --calls_now_;
    try {
        for (std::vector<Gang>* const gangs : {&team->stacks, &team->alone, &team->gangs}) {
            for (Gang& gang : *gangs) {
                gang.used = calls_;
                idle_.push_back(std::move(gang));
            }
            gangs->clear();
        }
        drop_oldest(dropped);
        idle_teams_.push_back(std::move(team));
    } catch (const std::bad_alloc&) {
        // These contexts are freed. The next call creates new ones.
    }
}

void Contexts::drop_oldest(std::vector<Gang>& dropped) {
    const std::size_t most = 3 * threads_ * most_calls_;
    while (idle_.size() > most) {
        const auto oldest =
            std::min_element(idle_.begin(), idle_.end(),
                             [](const Gang& a, const Gang& b) { return a.used < b.used; });
        dropped.push_back(std::move(*oldest));
        idle_.erase(oldest);
    }
}

void Contexts::trim() noexcept {
    std::vector<Gang> idle;
    std::vector<std::unique_ptr<Team>> teams;
    const std::lock_guard lock(mutex_);
    idle.swap(idle_);
    teams.swap(idle_teams_);
    most_calls_ = calls_now_;
}

std::size_t Contexts::idle_bytes() const {
    const std::lock_guard lock(mutex_);
    std::size_t bytes = 0;
    for (const Gang& gang : idle_) bytes += gang.context->bytes();
    return bytes;
}

}  // namespace vit::inline internal
