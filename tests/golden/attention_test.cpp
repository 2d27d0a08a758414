// Compares attention weights with those that timm computed in float64
// (tools/fixtures/attention_maps.py).
#include "vit/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>

#include "engine/base/random.h"
#include "engine/model/model_writer.h"
#include "tests/support/files.h"
#include "weights/mappings/convert.h"
#include "weights/readers/npz.h"

namespace vit {
namespace {

namespace fs = std::filesystem;

const fs::path data = VIT_TEST_DATA;

class Attention : public testing::TestWithParam<const char*> {};

TEST_P(Attention, AgreesWithTimm) {
    const test::Folder folder;
    const Converted converted = convert(read_checkpoint(data / "timm" / GetParam()), {});
    write_model_file(folder / "model.vit", converted.header, converted.tensors);
    const Model model = Model::load(folder / "model.vit", {.threads = 2});
    const ModelInfo& info = model.info();
    std::vector<float> image(static_cast<std::size_t>(info.channels * info.height * info.width));
    self_test_input(1, image);

    int compared = 0;
    for (const NpyArray& expected : read_npz(data / "attention.npz")) {
        const std::string prefix = std::string(GetParam()) + ".blocks.";
        if (!expected.name.starts_with(prefix)) continue;
        const std::int64_t block = std::stoi(expected.name.substr(prefix.size()));
        const AttentionMap found = attention(model, image, block, AttentionRows::all);
        ASSERT_EQ((Shape{found.heads, found.rows, found.tokens}), expected.shape);
        EXPECT_EQ(found.heads, attention_info(model).heads);
        const std::vector<float> weights = to_f32(expected.view());
        for (std::size_t i = 0; i < weights.size(); ++i)
            ASSERT_NEAR(found.weights[i], weights[i], 1e-5) << expected.name << " " << i;
        ++compared;
    }
    EXPECT_EQ(compared, attention_info(model).blocks);
}

INSTANTIATE_TEST_SUITE_P(Models, Attention,
                         testing::Values("token", "distilled", "registers_dinov2", "qk_norm",
                                         "parallel_scaling_rms_qk_norm", "parallel_things",
                                         "no_class_token", "differential"));

}  // namespace
}  // namespace vit
