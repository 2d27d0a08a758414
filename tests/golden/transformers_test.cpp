// Compares converted checkpoints of Hugging Face transformers with the float64 results of
// transformers, and preprocessed images with those of its image processors
// (tools/fixtures/hf_models.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "engine/model/model_writer.h"
#include "tests/golden/expected.h"
#include "tests/support/files.h"
#include "tests/unit/image/fixtures.h"
#include "vit/model.h"
#include "weights/mappings/convert.h"

namespace vit {
namespace {

namespace fs = std::filesystem;

using golden::Expected;

const fs::path data = fs::path(VIT_TEST_DATA) / "transformers";

Model converted(const fs::path& source, const test::Folder& out) {
    const Converted model = convert(read_checkpoint(source));
    write_model_file(out / "model.vit", model.header, model.tensors);
    return Model::load(out / "model.vit", {.threads = 1});
}

class Transformers : public testing::TestWithParam<std::string> {};
class TransformersImages : public testing::TestWithParam<std::string> {};

TEST_P(Transformers, Agrees) {
    const Expected expected(data / GetParam() / "expected.safetensors");
    const test::Folder out;
    const Model model = converted(data / GetParam(), out);
    const ModelInfo& info = model.info();
    EXPECT_EQ(info.height, expected.input[2]);
    EXPECT_EQ(info.width, expected.input[3]);
    for (const auto& [name, values] : golden::run(model, expected))
        golden::expect_close(expected, name, values);
    golden::expect_exact(expected, out / "model.vit");
}

TEST_P(TransformersImages, AgreeWithTheImageProcessor) {
    const Expected expected(data / GetParam() / "expected.safetensors");
    const std::vector<double>& pixels = expected.results.at("pixels");
    const test::Folder out;
    const Transform transform = converted(data / GetParam(), out).info().transform;
    std::vector<float> found(pixels.size());
    preprocess(test::pattern(61, 84), transform, found);
    double most = 0;
    for (std::size_t i = 0; i < pixels.size(); ++i)
        most = std::max(most, std::abs(static_cast<double>(found[i]) - pixels[i]));
    EXPECT_LE(most, 1e-6);  // another value of one pixel would be 4e-3 or more
}

INSTANTIATE_TEST_SUITE_P(Models, Transformers, testing::ValuesIn(golden::folders(data)),
                         [](const auto& folder) { return folder.param; });

INSTANTIATE_TEST_SUITE_P(Models, TransformersImages,
                         testing::Values("vit", "vit_not_square", "deit", "dinov2", "clip",
                                         "siglip"),
                         [](const auto& folder) { return folder.param; });

TEST(TransformersFixtures, HasFixtures) {
    EXPECT_GE(golden::folders(data).size(), 20u);
}

}  // namespace
}  // namespace vit
