// Logits of converted checkpoints of other libraries against what those libraries computed in
// float64 (tools/fixtures/*_models.py, tests/data/sources).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/files.h"
#include "tests/support/models.h"
#include "vit/model.h"
#include "weights/mappings/convert.h"
#include "weights/model_file/mapped_file.h"
#include "weights/model_file/random.h"
#include "weights/model_file/safetensors.h"

namespace vit {
namespace {

namespace fs = std::filesystem;

constexpr double tolerance = 1e-5;  // relative L2
const fs::path data = fs::path(VIT_TEST_DATA) / "sources";

struct Expected {
    Shape input;
    std::uint64_t input_seed = 0;
    ConvertOptions options;
    std::vector<double> logits;

    explicit Expected(const fs::path& path) {
        const MappedFile file(path);
        const Safetensors content = parse_safetensors(file.bytes(), path.string());
        input = nlohmann::json::parse(content.metadata.at("input_shape")).get<Shape>();
        input_seed = std::stoull(content.metadata.at("input_seed"));
        if (content.metadata.contains("arch")) options.arch = content.metadata.at("arch");
        if (content.metadata.contains("img_size"))
            options.image_size = ImageSize{input[2], input[3]};
        const TensorView& tensor = content.tensors.at(0);
        EXPECT_EQ(tensor.name, "logits");
        logits.resize(static_cast<std::size_t>(tensor.numel()));
        std::memcpy(logits.data(), tensor.data.data(), tensor.data.size());
    }
};

fs::path weights_in(const fs::path& folder) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
        if (entry.path().stem() == "weights") return entry.path();
    return folder;
}

std::vector<std::string> folders() {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(data))
        if (fs::exists(entry.path() / "expected.safetensors"))
            names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
}

class Sources : public testing::TestWithParam<std::string> {};

TEST_P(Sources, Agrees) {
    const fs::path folder = data / GetParam();
    const Expected expected(folder / "expected.safetensors");
    const Converted converted = convert(read_checkpoint(weights_in(folder)), expected.options);
    const test::Folder out;
    write_model_file(out / "model.vit", converted.header, converted.tensors);
    const Model model = Model::load(out / "model.vit");
    EXPECT_EQ(model.info().height, expected.input[2]);
    EXPECT_EQ(model.info().width, expected.input[3]);

    std::vector<float> images(static_cast<std::size_t>(expected.input[0] * expected.input[1] *
                                                       expected.input[2] * expected.input[3]));
    self_test_input(expected.input_seed, images);
    std::vector<float> logits(expected.logits.size());
    ASSERT_EQ(logits.size(), static_cast<std::size_t>(expected.input[0] * model.info().classes));
    model.run(images, expected.input[0], {logits, {}, {}});
    const double error = test::relative_l2(logits, expected.logits);
    EXPECT_LE(error, tolerance);
    testing::Test::RecordProperty("relative_l2", fmt::format("{:.2e}", error));
}

INSTANTIATE_TEST_SUITE_P(Models, Sources, testing::ValuesIn(folders()), [](const auto& folder) {
    std::string name = folder.param;
    std::ranges::replace(name, '.', '_');
    return name;
});

}  // namespace
}  // namespace vit
