#include "engine/graph/plan.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "engine/graph/build_vit.h"
#include "engine/graph/passes/passes.h"
#include "tests/support/models.h"

namespace vit {
namespace {

StorageRules simple_rules() {
    return {
        [](std::int64_t cols, DType) { return (cols + 15) / 16 * 16; },
        [](std::int64_t rows, std::int64_t cols) {
            return static_cast<std::size_t>((rows + 31) / 32 * 32 * ((cols + 31) / 32 * 32) * 2);
        },
        [](const op::PackHeads& p, const Value& shape) {
            return static_cast<std::size_t>(p.heads * p.head_dim * (shape.rows + 15) / 16 * 16) *
                   sizeof(float);
        },
        [](const Node& node) -> std::size_t {
            return std::holds_alternative<op::Attention>(node.op) ? 5000 : 0;
        }};
}

TEST(AssignOffsets, NeverOverlapsWhatIsAliveTogether) {
    std::mt19937 random(3);
    for (int round = 0; round < 200; ++round) {
        std::vector<Interval> intervals;
        for (int i = 0; i < 30; ++i) {
            const int first = static_cast<int>(random() % 20);
            intervals.push_back({first, first + static_cast<int>(random() % 5), random() % 5000});
        }
        const Offsets offsets = assign_offsets(intervals);
        for (std::size_t a = 0; a < intervals.size(); ++a) {
            EXPECT_EQ(offsets.at[a] % 64, 0u);
            EXPECT_LE(offsets.at[a] + intervals[a].bytes, offsets.total);
            for (std::size_t b = 0; b < a; ++b) {
                const bool together = intervals[a].first <= intervals[b].last &&
                                      intervals[b].first <= intervals[a].last;
                const bool apart = offsets.at[a] + intervals[a].bytes <= offsets.at[b] ||
                                   offsets.at[b] + intervals[b].bytes <= offsets.at[a];
                EXPECT_TRUE(!together || apart) << a << " and " << b;
            }
        }
    }
}

TEST(AssignOffsets, ReusesMemory) {
    const std::vector<Interval> chain{{0, 1, 640}, {1, 2, 640}, {2, 3, 640}, {3, 4, 640}};
    EXPECT_EQ(assign_offsets(chain).total, 1280u);
    EXPECT_EQ(assign_offsets({}).total, 0u);
}

class PlanOf : public testing::TestWithParam<test::NamedConfig> {};

/// The bytes that a value occupies; for a value in scratch, the bytes of one thread.
struct Extent {
    Where where;
    std::size_t begin, end;
    int first, last;  ///< stages (arena) or steps (scratch)
};

TEST_P(PlanOf, KeepsLiveValuesApart) {
    const ModelConfig& config = GetParam().config;
    for (const auto& [demand, target] : {std::pair<Demand, Target>{{true, false, false}, {}},
                                         {{true, true, true}, {}},
                                         {{true, false, false}, {DType::bf16, true}},
                                         {{true, true, true}, {DType::bf16, true}}})
        for (const auto& [parts, images] :
             std::vector<std::pair<std::vector<std::int64_t>, std::int64_t>>{
                 {{1}, 1}, {{1}, 3}, {{1, 1, 1}, 1}, {{1, 1, 1, 1}, 1}, {{1, 3, 0}, 1}}) {
            const Shares shares(parts);
            const Graph graph = optimise(build_vit(config, config.image_size), demand, target);
            const std::vector<Stage> stages = schedule(graph, shares.threads());
            const StorageRules rules = simple_rules();
            const Plan plan = make_plan(graph, stages, shares, rules, images);
            const std::int64_t most = *std::ranges::max_element(parts),
                               all = shares.before(shares.threads());

            // Computes the lifetimes independently of the plan: from the node that makes a value to
            // its last reader.
            std::vector<Extent> extents;
            std::vector<int> stage_of(graph.nodes.size()), step_of(graph.nodes.size());
            int step = 0;
            for (std::size_t s = 0; s < stages.size(); ++s)
                for (int n : stages[s].nodes) {
                    stage_of[static_cast<std::size_t>(n)] = static_cast<int>(s);
                    step_of[static_cast<std::size_t>(n)] = step++;
                }
            std::vector<std::size_t> owner;
            for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
                const Node& node = graph.nodes[n];
                if (std::holds_alternative<op::SelectRows>(node.op) || plan.in_place[n]) continue;
                const Placement& p = plan.values[static_cast<std::size_t>(node.output)];
                const Value shape = graph.value(node.output);
                const bool arena = p.where == Where::arena;
                int last_stage = stage_of[n], last_step = step_of[n];
                for (std::size_t r = 0; r < graph.nodes.size(); ++r)
                    for (ValueId input : graph.nodes[r].inputs)
                        if (input == node.output) {
                            last_stage = std::max(last_stage, stage_of[r]);
                            last_step = std::max(last_step, step_of[r]);
                        }
                for (ValueId result : graph.results())
                    if (result == node.output) last_stage = static_cast<int>(stages.size());
                if (!arena) {
                    EXPECT_EQ(last_stage, stage_of[n]) << node.name << " crosses a barrier";
                }
                const std::int64_t rows = arena ? shape.rows : (shape.rows * most + all - 1) / all;
                std::size_t bytes = shape.panels ? rules.panel_bytes(rows, shape.cols)
                                                 : static_cast<std::size_t>(rows * p.stride) *
                                                       item_size(shape.type);
                if (const auto* pack = std::get_if<op::PackHeads>(&node.op))
                    bytes = static_cast<std::size_t>(images) *
                            ((rules.packed_bytes(*pack, shape) + 63) / 64 * 64);
                extents.push_back({p.where, p.offset, p.offset + bytes,
                                   arena ? stage_of[n] : step_of[n],
                                   arena ? last_stage : last_step});
                owner.push_back(n);
                EXPECT_LE(p.offset + bytes, arena ? plan.arena_bytes : plan.scratch_bytes);
            }
            for (std::size_t a = 0; a < extents.size(); ++a)
                for (std::size_t b = 0; b < a; ++b) {
                    if (extents[a].where != extents[b].where) continue;
                    const bool together =
                        extents[a].first <= extents[b].last && extents[b].first <= extents[a].last;
                    const bool apart =
                        extents[a].end <= extents[b].begin || extents[b].end <= extents[a].begin;
                    EXPECT_TRUE(!together || apart)
                        << graph.nodes[owner[a]].name << " and " << graph.nodes[owner[b]].name;
                }
        }
}

/// The small configurations, and one that is wide enough for threads to share its columns.
std::vector<test::NamedConfig> plan_configs() {
    std::vector<test::NamedConfig> all = test::small_configs();
    all.push_back({"Wide", test::small_config()});
    all.back().config.embed_dim = 256;
    all.back().config.mlp_dim = 1024;
    return all;
}

INSTANTIATE_TEST_SUITE_P(Configs, PlanOf, testing::ValuesIn(plan_configs()),
                         [](const auto& config) { return config.param.name; });

TEST(Plan, AddsResidualsInPlace) {
    const Graph graph = optimise(build_vit(ModelConfig{}, {224, 224}), {});
    const Plan plan = make_plan(graph, schedule(graph), Shares(1), simple_rules());
    for (std::size_t n = 0; n < graph.nodes.size(); ++n)
        if (graph.nodes[n].inputs.size() == 2) {
            EXPECT_TRUE(plan.in_place[n]) << graph.nodes[n].name;
        }
    // Residual stream, q, and two sets of packed keys and values. Each has 197 rows of 768 floats.
    EXPECT_LE(plan.arena_bytes, 7 * std::size_t{208} * 768 * sizeof(float));
}

TEST(Schedule, HasOneBarrierABlock) {
    const Graph graph = optimise(build_vit(ModelConfig{}, {224, 224}), {});
    EXPECT_EQ(schedule(graph).size(), 13u);
}

TEST(Schedule, PutsABarrierBeforeEveryNodeThatMixesRows) {
    for (const auto& [name, config] : test::small_configs()) {
        SCOPED_TRACE(name);
        const Graph graph = optimise(build_vit(config, config.image_size), {true, true, true});
        const std::vector<Stage> stages = schedule(graph);
        std::vector<int> stage_of(graph.values.size(), -1);
        std::size_t nodes = 0;
        for (std::size_t s = 0; s < stages.size(); ++s)
            for (int n : stages[s].nodes) {
                const Node& node = graph.nodes[static_cast<std::size_t>(n)];
                ++nodes;
                EXPECT_EQ(graph.value(node.output).rows, stages[s].rows);
                for (std::size_t i = 0; i < node.inputs.size(); ++i) {
                    const int made = stage_of[static_cast<std::size_t>(node.inputs[i])];
                    const bool own_row = row_local(node.op) ||
                                         (std::holds_alternative<op::Attention>(node.op) && i == 0);
                    EXPECT_TRUE(own_row ? made <= static_cast<int>(s) : made < static_cast<int>(s))
                        << node.name;
                }
                stage_of[static_cast<std::size_t>(node.output)] = static_cast<int>(s);
            }
        EXPECT_EQ(nodes, graph.nodes.size());
    }
}

TEST(LinearGrid, SplitsColumnsWhereThreadsHaveFewRows) {
    const auto parts = [](std::int64_t rows, std::int64_t cols, int threads, bool tiles = false) {
        const Grid grid = linear_grid({rows, cols}, threads, tiles);
        return std::pair{grid.row_parts, grid.column_parts};
    };
    using Parts = std::pair<int, int>;
    EXPECT_EQ(parts(50, 768, 1), (Parts{1, 1}));
    EXPECT_EQ(parts(50, 768, 2), (Parts{1, 2}));
    EXPECT_EQ(parts(50, 3072, 2), (Parts{1, 2}));
    EXPECT_EQ(parts(577, 768, 2), (Parts{2, 1})) << "many rows";
    EXPECT_EQ(parts(50, 64, 2), (Parts{2, 1})) << "one unit";
    EXPECT_EQ(parts(1, 1000, 16), (Parts{1, 16}));
    EXPECT_EQ(parts(197, 768, 8), (Parts{2, 4})) << "eight threads share twelve units badly";
    EXPECT_EQ(parts(197, 768, 2), (Parts{2, 1}));
    EXPECT_EQ(parts(197, 768, 2, true), (Parts{1, 2})) << "tiles are fast, reading is not";
    EXPECT_EQ(parts(577, 768, 2, true), (Parts{2, 1}));
    for (std::int64_t rows : {1, 7, 50, 197})
        for (std::int64_t cols : {10, 192, 768, 1000})
            for (int threads = 1; threads <= 40; ++threads) {
                for (const bool tiles : {false, true}) {
                    const Grid grid = linear_grid({rows, cols}, threads, tiles);
                    EXPECT_EQ(grid.row_parts * grid.column_parts, threads);
                }
            }
}

TEST(Schedule, PutsBarriersAroundLinearsWhoseColumnsAreSplit) {
    const Graph graph = optimise(build_vit(ModelConfig{}, {224, 224}), {true, true, true});
    bool both = false;  // some linear layers are split, others are not
    for (int threads : {2, 3, 7, 16}) {
        SCOPED_TRACE(threads);
        const std::vector<Stage> stages = schedule(graph, threads);
        std::vector<int> stage_of(graph.values.size(), -1);
        std::size_t nodes = 0, split = 0;
        for (std::size_t s = 0; s < stages.size(); ++s)
            for (int n : stages[s].nodes) {
                const Node& node = graph.nodes[static_cast<std::size_t>(n)];
                ++nodes;
                const bool columns =
                    std::holds_alternative<op::Linear>(node.op) &&
                    linear_grid(graph.value(node.output), threads, on_tiles(graph, node))
                            .column_parts > 1;
                split += columns;
                EXPECT_EQ(stages[s].columns, columns) << node.name;
                EXPECT_EQ(graph.value(node.output).rows, stages[s].rows);
                for (const ValueId input : node.inputs) {
                    if (input == graph.image) continue;
                    const auto made =
                        static_cast<std::size_t>(stage_of[static_cast<std::size_t>(input)]);
                    EXPECT_LE(made, s) << node.name;
                    EXPECT_TRUE(made < s || !columns) << node.name;
                }
                stage_of[static_cast<std::size_t>(node.output)] = static_cast<int>(s);
            }
        EXPECT_EQ(nodes, graph.nodes.size());
        both |= split > 0 && split < 73;
    }
    EXPECT_TRUE(both);
}

// The stages for 50 rows and two threads: norm
// q, k, v
// packing
// attention
// projection
// norm
// fc1
// fc2. Packing and the attention of the same rows could not share a stage.
TEST(Schedule, PutsQueriesKeysAndValuesIntoOneStage) {
    ModelConfig config;
    config.patch_height = config.patch_width = 32;
    const Graph graph = optimise(build_vit(config, {224, 224}), {true, true, true});
    const std::vector<Stage> stages = schedule(graph, 2);
    const auto threes = std::ranges::count_if(
        stages, [](const Stage& s) { return s.columns && s.nodes.size() == 3; });
    EXPECT_EQ(threes, 12);
}

/// If a node reads a whole value and another adds to it in the same memory, they must not be in one
/// stage.
TEST(Plan, DoesNotAddInPlaceToWhatOtherThreadsRead) {
    Graph graph;
    graph.channels = 3;
    graph.image_size = {8, 8};
    graph.image = graph.add_value({3, 64});
    const ValueId x = graph.add("embed", op::Embed{}, {graph.image}, 16, 256);
    const ValueId y = graph.add("linear", op::Linear{}, {x, x}, 16, 256);
    graph.tokens = y;
    const Plan shared = make_plan(graph, schedule(graph, 2), Shares(2), simple_rules());
    EXPECT_FALSE(shared.in_place[1]);
    EXPECT_EQ(shared.values[static_cast<std::size_t>(y)].where, Where::arena);
    EXPECT_NE(shared.values[static_cast<std::size_t>(x)].offset,
              shared.values[static_cast<std::size_t>(y)].offset);
}

TEST(OwnedRows, FollowTheShares) {
    const std::vector<std::int64_t> parts{100, 300, 0, 100};
    const Shares shares(parts);
    for (std::int64_t rows : {1, 7, 50, 197}) {
        std::int64_t next = 0;
        for (int t = 0; t < 4; ++t) {
            const RowRange own = owned_rows(rows, shares, t);
            EXPECT_EQ(own.first, next);
            const double exact = static_cast<double>(rows * shares.parts(t)) / 500.0;
            EXPECT_NEAR(static_cast<double>(own.count()), exact, 1.0);
            next = own.last;
        }
        EXPECT_EQ(next, rows);
    }
}

TEST(OwnedRows, CoverAllRowsOnce) {
    for (std::int64_t rows : {1, 2, 7, 197})
        for (int threads : {1, 2, 3, 8, 300}) {
            std::int64_t next = 0;
            for (int t = 0; t < threads; ++t) {
                const RowRange own = owned_rows(rows, Shares(threads), t);
                EXPECT_EQ(own.first, next);
                EXPECT_LE(own.count(), (rows + threads - 1) / threads);
                next = own.last;
            }
            EXPECT_EQ(next, rows);
        }
}

}  // namespace
}  // namespace vit
