#include "vit/attention.h"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>

#include "tests/support/files.h"
#include "tests/support/models.h"

namespace vit {
namespace {

class AttentionTest : public testing::Test {
  protected:
    std::vector<float> logits() const {
        std::vector<float> logits(static_cast<std::size_t>(model_.info().classes));
        model_.run(image_, 1, {logits, {}, {}});
        return logits;
    }

    ModelConfig config_ = test::small_config();
    test::TemporaryModel file_{config_};
    Model model_ = Model::load(file_.path(), {.threads = 2});
    std::vector<float> image_ = test::random_images(config_, 1);
};

TEST_F(AttentionTest, LeavesTheLogitsOfTheModelUnchanged) {
    const std::vector<float> before = logits();
    (void)attention(model_, image_, config_.depth - 1, AttentionRows::all);
    (void)attention(model_, image_, 0, AttentionRows::first);
    EXPECT_EQ(logits(), before);
    const Model other = Model::load(file_.path(), {.threads = 2});
    (void)attention(other, image_, 0, AttentionRows::first);
    std::vector<float> after(before.size());
    other.run(image_, 1, {after, {}, {}});
    EXPECT_EQ(after, before);
}

TEST_F(AttentionTest, OfTheFirstRowIsTheFirstOfAllRows) {
    const AttentionMap all = attention(model_, image_, 1, AttentionRows::all),
                       first = attention(model_, image_, 1, AttentionRows::first);
    EXPECT_EQ(all.rows, all.tokens);
    ASSERT_EQ(first.rows, 1);
    const auto tokens = static_cast<std::size_t>(all.tokens);
    for (std::size_t h = 0; h < static_cast<std::size_t>(all.heads); ++h)
        for (std::size_t t = 0; t < tokens; ++t)
            EXPECT_EQ(first.weights[h * tokens + t], all.weights[h * tokens * tokens + t]);
}

TEST_F(AttentionTest, ShowsBlocksInTheOrderThatTheCallerChose) {
    std::vector<std::int64_t> seen;
    const std::vector<std::int64_t> wanted{2, 0, 2};
    attention(model_, image_, wanted, AttentionRows::first, [&](const AttentionMap& map) {
        seen.push_back(map.block);
        EXPECT_EQ(map.weights, attention(model_, image_, map.block, AttentionRows::first).weights);
    });
    EXPECT_EQ(seen, wanted);
}

TEST_F(AttentionTest, IsTheSameForEveryNumberOfThreads) {
    const AttentionMap reference = attention(model_, image_, 2, AttentionRows::all);
    for (const int threads : {1, 3, 5}) {
        const Model other = Model::load(file_.path(), {.threads = threads});
        EXPECT_EQ(attention(other, image_, 2, AttentionRows::all).weights, reference.weights);
    }
}

TEST_F(AttentionTest, MayBeCalledFromSeveralThreadsAtOnce) {
    const AttentionMap reference = attention(model_, image_, 2, AttentionRows::all);
    const std::vector<float> expected = logits();
    const Model fresh = Model::load(file_.path(), {.threads = 2});
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int again = 0; again < 3; ++again) {
                EXPECT_EQ(attention(fresh, image_, 2, AttentionRows::all).weights,
                          reference.weights);
                std::vector<float> found(expected.size());
                fresh.run(image_, 1, {found, {}, {}});
                EXPECT_EQ(found, expected);
            }
        });
    for (std::thread& each : threads) each.join();
}

TEST_F(AttentionTest, RefusesWrongArguments) {
    EXPECT_EQ(test::message_of([&] { (void)attention(model_, image_, 3, AttentionRows::all); },
                               ErrorKind::usage),
              "block 3: expected one of the model's blocks, 0 to 2");
    (void)test::message_of([&] { (void)attention(model_, image_, -1, AttentionRows::all); },
                           ErrorKind::usage);
    image_.pop_back();
    (void)test::message_of([&] { (void)attention(model_, image_, 0, AttentionRows::all); },
                           ErrorKind::usage);
}

TEST_F(AttentionTest, PassesTheCallersExceptionOn) {
    EXPECT_THROW(attention(model_, image_, std::vector<std::int64_t>{0}, AttentionRows::first,
                           [](const AttentionMap&) { throw 7; }),
                 int);
}

/// int8 rounds weights and inputs, so its attention is close to that in f32, but not equal.
TEST_F(AttentionTest, UsesTheModelsPrecision) {
    const test::TemporaryModel file(config_, 7, DType::i8);
    const Model in_f32 = Model::load(file.path(), {.threads = 1, .precision = Precision::f32}),
                in_int8 = Model::load(file.path(), {.threads = 1, .precision = Precision::int8});
    const AttentionMap exact = attention(in_f32, image_, 2, AttentionRows::all),
                       rounded = attention(in_int8, image_, 2, AttentionRows::all);
    EXPECT_NE(exact.weights, rounded.weights);
    EXPECT_LT(test::relative_l2(rounded.weights, exact.weights), 0.1);
}

TEST_F(AttentionTest, RunsInBfloat16WhereTheCpuDoes) {
    std::optional<Model> narrow;
    try {
        narrow = Model::load(file_.path(), {.threads = 2, .precision = Precision::bf16});
    } catch (const Error&) {
        GTEST_SKIP() << "no AVX512_BF16";
    }
    const AttentionMap exact = attention(model_, image_, 2, AttentionRows::all),
                       rounded = attention(*narrow, image_, 2, AttentionRows::all);
    EXPECT_NE(exact.weights, rounded.weights);
    EXPECT_LT(test::relative_l2(rounded.weights, exact.weights), 0.05);
}

TEST_F(AttentionTest, WorksForEveryArchitecture) {
    for (const test::NamedConfig& each : test::small_configs()) {
        SCOPED_TRACE(each.name);
        const test::TemporaryModel file(each.config);
        const Model model = Model::load(file.path(), {.threads = 2});
        const std::vector<float> image = test::random_images(each.config, 1);
        const AttentionMap map =
            attention(model, image, each.config.depth - 1, AttentionRows::first);
        const AttentionInfo info = attention_info(model);
        EXPECT_EQ(map.heads, info.heads);
        EXPECT_EQ(map.tokens, model.info().tokens);
        if (!info.sums_to_one) continue;
        const auto tokens = static_cast<std::ptrdiff_t>(map.tokens);
        for (std::int64_t h = 0; h < map.heads; ++h)
            EXPECT_NEAR(std::accumulate(map.weights.begin() + h * tokens,
                                        map.weights.begin() + (h + 1) * tokens, 0.0),
                        1, 1e-5);
    }
}

TEST_F(AttentionTest, TellsWhetherTheResultReadsTheClassToken) {
    for (const auto& [pooling, expected] :
         {std::pair(Pooling::token, true), {Pooling::avg, false}, {Pooling::map, false}}) {
        ModelConfig config = config_;
        config.pooling = pooling;
        if (pooling == Pooling::map) config.pool_heads = 2;
        const test::TemporaryModel file(config);
        EXPECT_EQ(attention_info(Model::load(file.path())).reads_class_token, expected);
    }
}

}  // namespace
}  // namespace vit
