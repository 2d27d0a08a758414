// Tests models with int8 weights: against the reference evaluator, and for equal bits.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/graph/build_vit.h"
#include "engine/graph/reference.h"
#include "engine/model/model_writer.h"
#include "tests/support/plain_tiles.h"
#include "tests/support/plain_tiles_tables.h"
#include "tests/unit/executor/same_bits.h"
#include "vit/error.h"

namespace vit {
namespace {

/// Kernels for int8 models: all tables, and bfloat16 for the rest where the CPU has it.
std::vector<KernelSet> kernel_sets() {
    std::vector<KernelSet> sets;
    for (const kernels::Table* table : tables())
        sets.push_back({*table, nullptr, &kernels::int8_table_for(table->isa)});
    if (const auto* bf16 = kernels::bf16_table_for(tables().back()->isa))
        sets.push_back({*tables().back(), bf16, &kernels::int8_table_for(tables().back()->isa)});
    // As at the level amx.
    for (const test::PlainTileKernels& tiles : test::plain_tile_kernels())
        sets.push_back({tiles.f32, &tiles.bf16, &test::plain_int8_tiles_on_baseline});
    return sets;
}

class Int8Model : public testing::TestWithParam<test::NamedConfig> {
  protected:
    ModelConfig config_ = GetParam().config;
    test::TemporaryModel model_{config_, 7, DType::i8};
    ModelFile file_ = ModelFile::open(model_.path());
};

TEST_P(Int8Model, AgreesWithTheReferenceEvaluator) {
    const std::vector<float> image = test::random_images(config_, 1);
    const WeightMap weights(file_, config_.image_size);
    for (const KernelSet& kernels : kernel_sets()) {
        const Executor executor(file_, config_.image_size, kernels, 1, DType::i8);
        const Graph graph = executor.optimised({true, true, true});
        EXPECT_TRUE(std::ranges::any_of(
            graph.values, [](const Value& value) { return value.type == DType::i8; }));
        const ReferenceResult expected = evaluate(graph, weights, image);
        const Batch found = run(executor, image, 1);
        // Numbers near the middle of two integers round differently. Measured: up to 3.7e-2.
        EXPECT_LT(test::relative_l2(found.logits, expected.logits), 5e-2);
        EXPECT_LT(test::relative_l2(found.tokens, expected.tokens), 5e-2);
    }
}

TEST_P(Int8Model, GivesTheSameBitsForEveryThreadCountAndBatch) {
    constexpr std::int64_t count = 5;
    const std::vector<float> images = test::random_images(config_, count);
    for (const KernelSet& kernels : kernel_sets()) {
        const Executor alone(file_, config_.image_size, kernels, 1, DType::i8, 1);
        const Batch expected = run(alone, images, count);
        for (const int threads : {1, 2, 3})
            for (const std::int64_t stack : {1, 3}) {
                const Executor executor(file_, config_.image_size, kernels, threads, DType::i8,
                                        stack);
                EXPECT_EQ(run(executor, images, count), expected) << threads << ' ' << stack;
            }
    }
}

TEST_P(Int8Model, RunsInFloat32WithItsRoundedWeights) {
    const std::vector<float> image = test::random_images(config_, 1);
    const WeightMap weights(file_, config_.image_size);
    const Executor executor(file_, config_.image_size, {*tables().back()}, 1, DType::f32);
    const ReferenceResult expected =
        evaluate(executor.optimised({true, true, true}), weights, image);
    EXPECT_LT(test::relative_l2(run(executor, image, 1).logits, expected.logits), 2e-6);
}

INSTANTIATE_TEST_SUITE_P(Configs, Int8Model, testing::ValuesIn(test::small_configs()),
                         [](const auto& config) { return config.param.name; });

/// The kernels would give wrong sums for such weights.
TEST(Int8Weights, OutsideTheLimitsAreRefused) {
    const test::TemporaryModel model(test::small_config(), 7, DType::i8);
    const auto message = [&](int first, int second) -> std::string {
        const ModelFile file = ModelFile::open(model.path(), Reading::copied);
        std::vector<TensorView> tensors = file.tensors();
        TensorView& weight =
            *std::ranges::find(tensors, "blocks.1.mlp.fc1.weight", &TensorView::name);
        std::vector<std::byte> bytes(weight.data.begin(), weight.data.end());
        bytes[4] = static_cast<std::byte>(first);
        bytes[5] = static_cast<std::byte>(second);
        weight.data = bytes;
        const test::TemporaryModel changed(test::small_config());
        write_model_file(changed.path(), file.header(), tensors);
        try {
            const ModelFile opened = ModelFile::open(changed.path());
            Executor(opened, test::small_config().image_size, kernel_sets().front(), 1, DType::i8);
            return "";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::model);
            return error.what();
        }
    };
    EXPECT_EQ(message(-127, 1), "");
    EXPECT_EQ(message(64, -64), "");
    EXPECT_EQ(message(-128, 0),
              "tensor 'blocks.1.mlp.fc1.weight': expected numbers from -127 to 127, found -128; "
              "convert the checkpoint again");
    EXPECT_EQ(
        message(65, -64),
        "tensor 'blocks.1.mlp.fc1.weight': expected neighbouring numbers whose magnitudes add "
        "up to at most 128, found 129; convert the checkpoint again");
}

}  // namespace
}  // namespace vit
