// Several images run as one stack. Each must give the same bits as when it runs alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <stdexcept>

#include "tests/unit/executor/same_bits.h"

namespace vit {
namespace {

Batch slice(const Batch& all, std::int64_t image, std::int64_t count) {
    const auto part = [&](const std::vector<float>& values) {
        const auto size = static_cast<std::ptrdiff_t>(values.size()) / count;
        return std::vector<float>(values.begin() + image * size,
                                  values.begin() + (image + 1) * size);
    };
    return {part(all.logits), part(all.features), part(all.tokens)};
}

class StacksOf : public testing::TestWithParam<test::NamedConfig> {};

TEST_P(StacksOf, GiveEachImageTheBitsThatItHasAlone) {
    const ModelConfig& config = GetParam().config;
    const test::TemporaryModel model(config);
    const ModelFile file = ModelFile::open(model.path());
    constexpr std::int64_t count = 11;
    const std::vector<float> images = test::random_images(config, count);
    for (const Mode& mode : modes()) {
        if (mode.precision == DType::f32 && mode.kernels.f32.isa != tables().back()->isa) continue;
        SCOPED_TRACE(mode.name);
        const Executor single(file, config.image_size, mode.kernels, 1, mode.precision, 1);
        for (const bool tokens : {true, false}) {
            const Batch expected = run(single, images, count, tokens);
            for (const std::int64_t stack : {2, 3, 5})
                for (const int threads : {1, 2}) {
                    const Executor executor(file, config.image_size, mode.kernels, threads,
                                            mode.precision, stack);
                    EXPECT_EQ(run(executor, images, count, tokens), expected)
                        << stack << " images, " << threads << " threads, tokens " << tokens;
                }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Configs, StacksOf, testing::ValuesIn(test::small_configs()),
                         [](const auto& config) { return config.param.name; });

TEST(Stacks, LeaveOutImagesThatAreNotThere) {
    const ModelConfig config = test::small_config();
    const test::TemporaryModel model(config);
    const ModelFile file = ModelFile::open(model.path());
    constexpr std::int64_t count = 24;
    const std::vector<float> images = test::random_images(config, count);
    const std::size_t floats = images.size() / count;
    for (const Mode& mode : modes()) {
        const Executor single(file, config.image_size, mode.kernels, 1, mode.precision, 1);
        const Batch expected = run(single, images, count);
        for (const int threads : {1, 2, 3}) {
            const Executor executor(file, config.image_size, mode.kernels, threads, mode.precision,
                                    4);
            Batch found = expected;
            for (std::vector<float>* values : {&found.logits, &found.features, &found.tokens})
                std::ranges::fill(*values, 7.0f);
            std::vector<std::atomic<int>> asked(count), done(count);
            std::mutex mutex;  // guards the two below
            std::set<float*> taken;
            std::vector<float*> room_of(count);
            const auto missing = [](std::int64_t image) { return image % 5 == 1 || image == 20; };
            const FillImage fill = [&](std::int64_t image, std::span<float> to) {
                const auto i = static_cast<std::size_t>(image);
                ++asked[i];
                if (missing(image)) return false;
                std::ranges::copy(std::span(images).subspan(i * floats, floats), to.begin());
                const std::lock_guard lock(mutex);
                EXPECT_TRUE(taken.insert(to.data()).second) << "the memory is taken";
                room_of[i] = to.data();
                return true;
            };
            const ImageDone note_done = [&](std::int64_t image) {
                const auto i = static_cast<std::size_t>(image);
                ++done[i];
                const std::lock_guard lock(mutex);
                taken.erase(room_of[i]);
            };
            executor.run({.count = count, .fill = fill, .done = note_done},
                         {found.logits.data(), found.features.data(), found.tokens.data()});
            for (std::int64_t image = 0; image < count; ++image) {
                const auto i = static_cast<std::size_t>(image);
                EXPECT_EQ(asked[i], 1) << image;
                EXPECT_EQ(done[i], missing(image) ? 0 : 1) << image;
                if (missing(image))
                    EXPECT_EQ(slice(found, image, count).logits[0], 7.0f) << image;
                else
                    EXPECT_EQ(slice(found, image, count), slice(expected, image, count)) << image;
            }
        }
    }
}

TEST(Stacks, FinishTheImagesBeforeOneThatFails) {
    const ModelConfig config = test::small_config();
    const test::TemporaryModel model(config);
    const ModelFile file = ModelFile::open(model.path());
    const std::vector<float> image = test::random_images(config, 1);
    const Executor executor(file, config.image_size, {*tables().back()}, 1, DType::f32, 4);
    std::vector<float> logits(8 * static_cast<std::size_t>(config.num_classes));
    std::vector<std::int64_t> done;
    const FillImage fill = [&](std::int64_t i, std::span<float> to) {
        if (i == 6) throw std::runtime_error("no image");
        std::ranges::copy(image, to.begin());
        return true;
    };
    const ImageDone note_done = [&](std::int64_t i) { done.push_back(i); };
    EXPECT_THROW(executor.run({.count = 8, .fill = fill, .done = note_done},
                              {logits.data(), nullptr, nullptr}),
                 std::runtime_error);
    EXPECT_EQ(done, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5}));
}

TEST(Stacks, AreForFewRows) {
    EXPECT_EQ(stack_of(50, false), 4);   // ViT-B/32
    EXPECT_EQ(stack_of(197, false), 1);  // ViT-B/16, ViT-S/16
    EXPECT_EQ(stack_of(50, true), 8);
    EXPECT_EQ(stack_of(197, true), 2);
    for (const bool tiles : {false, true}) {
        EXPECT_EQ(stack_of(1370, tiles), 1);
        EXPECT_EQ(stack_of(1, tiles), most_stacked);
    }
}

}  // namespace
}  // namespace vit
