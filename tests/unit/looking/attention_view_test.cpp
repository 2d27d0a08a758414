// The class token's attention and the rollout of timm's attention
// (tools/fixtures/attention_maps.py).
#include "tools/looking/attention_view.h"

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "engine/model/model_writer.h"
#include "tests/support/files.h"
#include "tests/support/npz_arrays.h"
#include "vit/error.h"
#include "weights/mappings/convert.h"

namespace vit::looking {
namespace {

const std::filesystem::path data = VIT_TEST_DATA;

/// A checkpoint of tests/data/timm, loaded, and the image of the fixtures.
struct Subject {
    test::Folder folder;
    Model model;
    std::vector<float> image;
    std::map<std::string, std::vector<float>> expected = test::npz_arrays(data / "attention.npz");

    explicit Subject(const std::string& name) : model(load(folder / "model.vit", name)) {
        const ModelInfo& info = model.info();
        image.resize(static_cast<std::size_t>(info.channels * info.height * info.width));
        self_test_input(1, image);
    }
    static Model load(const std::filesystem::path& path, const std::string& name) {
        const Converted converted = convert(read_checkpoint(data / "timm" / name), {});
        write_model_file(path, converted.header, converted.tensors);
        return Model::load(path, {.threads = 2});
    }
};

TEST(Rollout, IsThatOfTimmsAttention) {
    for (const std::string name : {"token", "distilled", "registers_dinov2", "parallel_things"}) {
        SCOPED_TRACE(name);
        const Subject subject(name);
        const std::vector<float>& expected = subject.expected.at(name + ".rollout");
        const std::vector<double> found = rollout(subject.model, subject.image);
        ASSERT_EQ(found.size(), expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-5);

        const pictures::Grid grid = rollout_of_patches(subject.model, subject.image);
        EXPECT_EQ(grid.rows * grid.columns,
                  subject.model.info().tokens - subject.model.info().prefix_tokens);
        EXPECT_NEAR(grid.values.back(), expected.back(), 1e-5);
    }
}

TEST(ClassAttention, IsTheFirstRowWithoutPrefixTokens) {
    const Subject subject("registers_dinov2");
    const std::vector<float>& expected = subject.expected.at("registers_dinov2.blocks.1");
    const ModelInfo& info = subject.model.info();
    ASSERT_EQ(info.prefix_tokens, 5);
    const auto tokens = static_cast<std::size_t>(info.tokens);
    const pictures::Grid mean = class_attention(subject.model, subject.image, 1, {}),
                         second = class_attention(subject.model, subject.image, 1, 1);
    EXPECT_EQ(mean.rows, info.grid_rows);
    EXPECT_EQ(mean.columns, info.grid_columns);
    for (std::size_t patch = 0; patch + 5 < tokens; ++patch) {
        const auto weight = [&](std::size_t head) {
            return expected[head * tokens * tokens + 5 + patch];
        };
        EXPECT_NEAR(mean.values[patch], (weight(0) + weight(1) + weight(2)) / 3, 1e-5);
        EXPECT_NEAR(second.values[patch], weight(1), 1e-5);
    }
    (void)test::message_of([&] { (void)class_attention(subject.model, subject.image, 1, 3); },
                           ErrorKind::usage);
}

}  // namespace
}  // namespace vit::looking
