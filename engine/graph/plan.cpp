#include "engine/graph/plan.h"

#include <algorithm>
#include <numeric>

#include "engine/base/checked.h"

namespace vit::inline internal {

namespace {

constexpr std::size_t alignment = 64;

std::size_t aligned(std::size_t bytes) {
    return checked::to_size(checked::add(bytes, alignment - 1, "plan") / alignment * alignment,
                            "plan");
}

/// One block of memory, which several values may share.
struct Storage {
    std::int64_t rows = 0, cols = 0;
    DType type = DType::f32;
    bool panels = false;
    std::size_t packed_bytes = 0;  ///< if not 0, the size, whatever `rows` is
    int first_stage = 0, last_stage = 0;
    int first_step = 0, last_step = 0;  ///< positions in the order of execution
    bool shared = false;                ///< must live in the arena
};

class Planner {
  public:
    Planner(const Graph& graph, const std::vector<Stage>& stages, const Shares& shares,
            const StorageRules& rules, std::int64_t images)
        : graph_(graph), stages_(stages), shares_(shares), rules_(rules), images_(images) {
        for (std::size_t s = 0; s < stages.size(); ++s)
            for (int node : stages[s].nodes) {
                order_.push_back(node);
                stage_.push_back(static_cast<int>(s));
            }
    }

    Plan make() {
        plan_.values.resize(graph_.values.size());
        plan_.in_place.resize(graph_.nodes.size(), false);
        plan_.workspaces.resize(graph_.nodes.size(), 0);
        storage_of_.assign(graph_.values.size(), -1);
        find_last_reads();
        for (std::size_t step = 0; step < order_.size(); ++step) assign_storage(step);
        for (ValueId id : graph_.results()) {
            Storage& s = storage(id);
            s.shared = true;
            s.last_stage = static_cast<int>(stages_.size());
        }
        place();
        return std::move(plan_);
    }

  private:
    static std::size_t at(int i) { return static_cast<std::size_t>(i); }
    const Node& node(std::size_t step) const { return graph_.nodes[at(order_[step])]; }
    Storage& storage(ValueId id) { return storages_[at(storage_of_[at(id)])]; }

    void find_last_reads() {
        last_read_.assign(graph_.values.size(), -1);
        for (std::size_t step = 0; step < order_.size(); ++step)
            for (ValueId id : node(step).inputs) last_read_[at(id)] = static_cast<int>(step);
        for (ValueId id : graph_.results()) last_read_[at(id)] = static_cast<int>(order_.size());
    }

    /// Whether any value in the storage of `id` is read after `step`.
    bool read_later(ValueId id, std::size_t step) const {
        for (std::size_t v = 0; v < storage_of_.size(); ++v)
            if (storage_of_[v] == storage_of_[at(id)] && last_read_[v] > static_cast<int>(step))
                return true;
        return false;
    }

    /// Whether another thread may read the storage of `id` while this step changes it. `id` is the
    /// step's last input.
    bool read_by_others(ValueId id, std::size_t step) const {
        const Stage& stage = stages_[at(stage_[step])];
        if (!stage.columns) return false;
        for (int other : stage.nodes) {
            const Node& n = graph_.nodes[at(other)];
            const std::size_t count = n.inputs.size() - (other == order_[step] ? 1 : 0);
            for (std::size_t i = 0; i < count; ++i)
                if (n.inputs[i] != graph_.image &&
                    storage_of_[at(n.inputs[i])] == storage_of_[at(id)])
                    return true;
        }
        return false;
    }

    /// The input that the node can overwrite with its output, or no_value.
    static ValueId changed_input(const Node& n) {
        if (std::holds_alternative<op::Linear>(n.op) && n.inputs.size() > 1) return n.inputs[1];
        const bool first = std::holds_alternative<op::Add>(n.op) ||
                           std::holds_alternative<op::Multiply>(n.op) ||
                           std::holds_alternative<op::SubtractScaled>(n.op);
        return first ? n.inputs[0] : no_value;
    }

    /// Whether the rows of a stack's images are not adjacent, as in a view.
    bool is_scattered(ValueId id) const {
        return images_ > 1 && plan_.values[at(id)].image_rows != graph_.value(id).rows;
    }

    void assign_storage(std::size_t step) {
        const Node& n = node(step);
        for (ValueId id : n.inputs)
            if (id != graph_.image) touch(storage(id), step);
        Placement& out = plan_.values[at(n.output)];
        if (const auto* select = std::get_if<op::SelectRows>(&n.op)) {
            share(n.output, n.inputs[0], select->first);
            return;
        }
        const ValueId changed = changed_input(n);
        if (changed != no_value && !read_later(changed, step) && !read_by_others(changed, step) &&
            !is_scattered(changed) && graph_.value(changed).type == graph_.value(n.output).type) {
            share(n.output, changed, 0);
            plan_.in_place[at(order_[step])] = true;
            return;
        }
        Storage fresh;
        const Value shape = graph_.value(n.output);
        fresh.rows = shape.rows;
        fresh.cols = shape.cols;
        fresh.type = shape.type;
        fresh.panels = shape.panels;
        if (const auto* pack = std::get_if<op::PackHeads>(&n.op)) {
            out.image_bytes = aligned(rules_.packed_bytes(*pack, shape));
            fresh.packed_bytes = out.image_bytes * static_cast<std::size_t>(images_);
            fresh.shared = true;
        }
        if (stages_[at(stage_[step])].columns) fresh.shared = true;
        fresh.first_stage = fresh.last_stage = stage_[step];
        fresh.first_step = fresh.last_step = static_cast<int>(step);
        out.stride = rules_.stride(shape.cols, shape.type);
        out.image_rows = shape.rows;
        storage_of_[at(n.output)] = static_cast<int>(storages_.size());
        storages_.push_back(fresh);
    }

    void share(ValueId output, ValueId input, std::int64_t first_row) {
        storage_of_[at(output)] = storage_of_[at(input)];
        plan_.values[at(output)].row = plan_.values[at(input)].row + first_row;
        plan_.values[at(output)].stride = plan_.values[at(input)].stride;
        plan_.values[at(output)].image_rows = plan_.values[at(input)].image_rows;
    }

    void touch(Storage& s, std::size_t step) const {
        s.last_step = static_cast<int>(step);
        s.last_stage = stage_[step];
        if (s.first_stage != s.last_stage) s.shared = true;
    }

    std::size_t bytes(const Storage& s, std::int64_t rows) const {
        if (s.packed_bytes) return aligned(s.packed_bytes);
        if (s.panels) return aligned(rules_.panel_bytes(rows, s.cols));
        const auto stride = static_cast<std::uint64_t>(rules_.stride(s.cols, s.type));
        return aligned(checked::to_size(
            checked::mul(checked::mul(static_cast<std::uint64_t>(rows), stride, "plan"),
                         item_size(s.type), "plan"),
            "plan"));
    }

    /// The largest number of rows that one thread owns.
    std::int64_t most_owned(std::int64_t rows) const {
        std::int64_t most = 0;
        for (int t = 0; t < shares_.threads(); ++t)
            most = std::max(most, owned_rows(rows, shares_, t).count());
        return most;
    }

    void place() {
        std::vector<Interval> arena, scratch;
        std::vector<std::size_t> slot(storages_.size());
        for (std::size_t i = 0; i < storages_.size(); ++i) {
            const Storage& s = storages_[i];
            std::vector<Interval>& to = s.shared ? arena : scratch;
            slot[i] = to.size();
            if (s.shared)
                to.push_back({s.first_stage, s.last_stage, bytes(s, s.rows * images_)});
            else
                to.push_back({s.first_step, s.last_step, bytes(s, most_owned(s.rows) * images_)});
        }
        const std::size_t first_workspace = scratch.size();
        for (std::size_t step = 0; step < order_.size(); ++step) {
            const int now = static_cast<int>(step);
            scratch.push_back({now, now, aligned(rules_.workspace(node(step)))});
        }
        const Offsets arena_offsets = assign_offsets(arena),
                      scratch_offsets = assign_offsets(scratch);
        plan_.arena_bytes = arena_offsets.total;
        plan_.scratch_bytes = scratch_offsets.total;
        for (std::size_t v = 0; v < plan_.values.size(); ++v) {
            if (storage_of_[v] < 0) continue;
            const std::size_t i = at(storage_of_[v]);
            const bool shared = storages_[i].shared;
            plan_.values[v].where = shared ? Where::arena : Where::scratch;
            plan_.values[v].offset = (shared ? arena_offsets : scratch_offsets).at[slot[i]];
        }
        for (std::size_t step = 0; step < order_.size(); ++step)
            plan_.workspaces[at(order_[step])] = scratch_offsets.at[first_workspace + step];
    }

    const Graph& graph_;
    const std::vector<Stage>& stages_;
    const Shares& shares_;
    const StorageRules& rules_;
    const std::int64_t images_;
    std::vector<int> order_, stage_;  // node and stage of each step
    std::vector<int> last_read_;      // last step that reads a value
    std::vector<int> storage_of_;     // by value
    std::vector<Storage> storages_;
    Plan plan_;
};

}  // namespace

Offsets assign_offsets(std::span<const Interval> intervals) {
    std::vector<std::size_t> by_size(intervals.size());
    std::iota(by_size.begin(), by_size.end(), std::size_t{0});
    std::ranges::stable_sort(by_size, [&](std::size_t a, std::size_t b) {
        return intervals[a].bytes > intervals[b].bytes;
    });
    Offsets result;
    result.at.resize(intervals.size());
    std::vector<std::size_t> placed;
    for (std::size_t i : by_size) {
        std::vector<std::pair<std::size_t, std::size_t>> taken;
        for (std::size_t j : placed)
            if (intervals[j].first <= intervals[i].last && intervals[i].first <= intervals[j].last)
                taken.emplace_back(result.at[j], result.at[j] + aligned(intervals[j].bytes));
        std::ranges::sort(taken);
        std::size_t offset = 0;
        for (const auto& [begin, end] : taken) {
            if (begin >= offset && begin - offset >= intervals[i].bytes) break;
            offset = std::max(offset, end);
        }
        result.at[i] = offset;
        placed.push_back(i);
        result.total = std::max(result.total, offset + aligned(intervals[i].bytes));
    }
    return result;
}

Plan make_plan(const Graph& graph, const std::vector<Stage>& stages, const Shares& shares,
               const StorageRules& rules, std::int64_t images) {
    return Planner(graph, stages, shares, rules, images).make();
}

}  // namespace vit::inline internal
