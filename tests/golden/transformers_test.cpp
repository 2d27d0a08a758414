// Converted checkpoints of Hugging Face transformers against what transformers computed in float64,
// and what its image processors make of an image (tools/fixtures/hf_models.py).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "tests/support/files.h"
#include "tests/support/models.h"
#include "tests/unit/image/fixtures.h"
#include "vit/error.h"
#include "vit/model.h"
#include "weights/mappings/convert.h"
#include "weights/model_file/mapped_file.h"
#include "weights/model_file/random.h"
#include "weights/model_file/safetensors.h"

namespace vit {
namespace {

namespace fs = std::filesystem;

constexpr double tolerance = 1e-5;  // relative L2, the promise of docs/architecture.md
const fs::path data = fs::path(VIT_TEST_DATA) / "transformers";

struct Expected {
    Shape input;
    std::uint64_t input_seed = 0;
    std::map<std::string, std::vector<double>> results;

    explicit Expected(const fs::path& path) {
        const MappedFile file(path);
        const Safetensors content = parse_safetensors(file.bytes(), path.string());
        input = nlohmann::json::parse(content.metadata.at("input_shape")).get<Shape>();
        input_seed = std::stoull(content.metadata.at("input_seed"));
        for (const TensorView& tensor : content.tensors) {
            std::vector<double>& values = results[tensor.name];
            values.resize(static_cast<std::size_t>(tensor.numel()));
            EXPECT_EQ(tensor.dtype, DType::f64);
            std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
        }
    }
};

/// Nothing where the engine lacks an operator that the model needs.
std::optional<Model> converted(const fs::path& source, const test::Folder& out) {
    const Converted model = convert(read_checkpoint(source));
    write_model_file(out / "model.vit", model.header, model.tensors);
    try {
        return Model::load(out / "model.vit", {.threads = 1});
    } catch (const Error& error) {
        if (std::string(error.what()).find("not computed yet") == std::string::npos) throw;
        return {};
    }
}

std::vector<std::string> folders() {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(data))
        names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
}

class Transformers : public testing::TestWithParam<std::string> {};
class TransformersImages : public testing::TestWithParam<std::string> {};

TEST_P(Transformers, Agrees) {
    const Expected expected(data / GetParam() / "expected.safetensors");
    const test::Folder out;
    const std::optional<Model> model = converted(data / GetParam(), out);
    if (!model) GTEST_SKIP() << "not computed yet";
    const ModelInfo& info = model->info();
    EXPECT_EQ(info.height, expected.input[2]);
    EXPECT_EQ(info.width, expected.input[3]);
    const auto n = static_cast<std::size_t>(expected.input[0]);
    std::vector<float> images(
        n * static_cast<std::size_t>(expected.input[1] * expected.input[2] * expected.input[3]));
    self_test_input(expected.input_seed, images);
    std::map<std::string, std::vector<float>> found;
    found["logits"].resize(n * static_cast<std::size_t>(info.classes));
    found["features"].resize(n * static_cast<std::size_t>(info.features));
    found["tokens"].resize(n * static_cast<std::size_t>(info.tokens * info.embed_dim));
    model->run(images, expected.input[0], {found["logits"], found["features"], found["tokens"]});
    for (const auto& [name, values] : found) {
        SCOPED_TRACE(name);
        ASSERT_EQ(values.size(), expected.results.at(name).size());
        const double error = test::relative_l2(values, expected.results.at(name));
        EXPECT_LE(error, tolerance);
        testing::Test::RecordProperty(name + "_relative_l2", fmt::format("{:.2e}", error));
    }
}

TEST_P(TransformersImages, AgreeWithTheImageProcessor) {
    const Expected expected(data / GetParam() / "expected.safetensors");
    const std::vector<double>& pixels = expected.results.at("pixels");
    const test::Folder out;
    const std::optional<Model> model = converted(data / GetParam(), out);
    if (!model) GTEST_SKIP() << "not computed yet";
    const Transform transform = model->info().transform;
    std::vector<float> found(pixels.size());
    preprocess(test::pattern(61, 84), transform, found);
    double most = 0;
    for (std::size_t i = 0; i < pixels.size(); ++i)
        most = std::max(most, std::abs(static_cast<double>(found[i]) - pixels[i]));
    EXPECT_LE(most, 1e-6);  // another value of one pixel would be 4e-3 or more
}

INSTANTIATE_TEST_SUITE_P(Models, Transformers, testing::ValuesIn(folders()),
                         [](const auto& folder) { return folder.param; });

INSTANTIATE_TEST_SUITE_P(Models, TransformersImages,
                         testing::Values("vit", "vit_not_square", "deit", "dinov2", "clip",
                                         "siglip"),
                         [](const auto& folder) { return folder.param; });

TEST(TransformersFixtures, HasFixtures) {
    EXPECT_GE(folders().size(), 20u);
}

}  // namespace
}  // namespace vit
