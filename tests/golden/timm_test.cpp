// Logits, features and tokens of converted checkpoints against what timm computed in float64
// (tools/fixtures/timm_models.py).
#include <gtest/gtest.h>
#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>

#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/support/models.h"
#include "vit/model.h"
#include "weights/mappings/convert.h"
#include "weights/model_file/mapped_file.h"
#include "weights/model_file/random.h"
#include "weights/model_file/random_model.h"
#include "weights/model_file/safetensors.h"

namespace vit {
namespace {

namespace fs = std::filesystem;

constexpr double tolerance = 1e-5;  // relative L2, the promise of docs/architecture.md
const fs::path data = fs::path(VIT_TEST_DATA) / "timm";

/// What timm computed for one model and image size.
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

void expect_agreement(const fs::path& model_file, const Expected& expected) {
    for (int threads : {1, 2}) {
        LoadOptions options{.threads = threads};
        options.height = expected.input[2];
        options.width = expected.input[3];
        const Model model = Model::load(model_file, options);
        const auto n = static_cast<std::size_t>(expected.input[0]);
        std::vector<float> images(
            n *
            static_cast<std::size_t>(expected.input[1] * expected.input[2] * expected.input[3]));
        self_test_input(expected.input_seed, images);
        const ModelInfo& info = model.info();
        std::map<std::string, std::vector<float>> found;
        found["logits"].resize(n * static_cast<std::size_t>(info.classes));
        found["features"].resize(n * static_cast<std::size_t>(info.features));
        found["tokens"].resize(n * static_cast<std::size_t>(info.tokens * info.embed_dim));
        model.run(images, expected.input[0], {found["logits"], found["features"], found["tokens"]});
        for (const auto& [name, values] : expected.results) {
            SCOPED_TRACE(name);
            ASSERT_EQ(found[name].size(), values.size());
            const double error = test::relative_l2(found[name], values);
            EXPECT_LE(error, tolerance);
            testing::Test::RecordProperty(name + "_relative_l2", fmt::format("{:.2e}", error));
        }
    }
}

std::vector<std::string> folders() {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(data))
        if (fs::exists(entry.path() / "expected.safetensors"))
            names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
}

/// A converted checkpoint, deleted with this.
struct ConvertedFile {
    fs::path path = fs::temp_directory_path() / ("vit-golden-" + std::to_string(getpid()) + ".vit");
    explicit ConvertedFile(const fs::path& source, const ConvertOptions& options = {}) {
        const Converted converted = convert(read_checkpoint(source), options);
        write_model_file(path, converted.header, converted.tensors);
    }
    ~ConvertedFile() { fs::remove(path); }
};

class Timm : public testing::TestWithParam<std::string> {};

TEST_P(Timm, Agrees) {
    const fs::path folder = data / GetParam();
    const ConvertedFile file(folder);
    expect_agreement(file.path, Expected(folder / "expected.safetensors"));
}

TEST_P(Timm, AgreesAtOtherImageSizes) {
    const fs::path folder = data / GetParam();
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        if (!entry.path().filename().string().starts_with("expected_")) continue;
        SCOPED_TRACE(entry.path().filename());
        const Expected expected(entry.path());
        // Resized when the model is loaded, and when it is converted.
        expect_agreement(ConvertedFile(folder).path, expected);
        ConvertOptions options;
        options.image_size = ImageSize{expected.input[2], expected.input[3]};
        expect_agreement(ConvertedFile(folder, options).path, expected);
    }
}

INSTANTIATE_TEST_SUITE_P(Models, Timm, testing::ValuesIn(folders()),
                         [](const auto& folder) { return folder.param; });

TEST(TimmFixtures, HasFixtures) {
    EXPECT_GE(folders().size(), 25u);
}

TEST(TimmFixtures, AgreesOnFullSizeViTB16) {
    const fs::path path =
        fs::temp_directory_path() / ("vit-golden-b16-" + std::to_string(getpid()) + ".vit");
    ModelHeader header;
    header.config.architecture = "vit_base_patch16_224";
    header.preprocessing.input_size = header.config.image_size;
    write_random_model(path, header, 7);
    expect_agreement(path, Expected(data / "vit_base_patch16_224.expected.safetensors"));
    fs::remove(path);
}

}  // namespace
}  // namespace vit
