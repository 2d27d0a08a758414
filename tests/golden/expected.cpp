#include "tests/golden/expected.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "engine/base/random.h"
#include "engine/graph/build_vit.h"
#include "engine/graph/reference.h"
#include "engine/model/mapped_file.h"
#include "engine/model/safetensors.h"
#include "tests/support/models.h"

namespace vit::golden {

namespace fs = std::filesystem;

Expected::Expected(const fs::path& path) {
    const MappedFile file(path);
    const Safetensors content = parse_safetensors(file.bytes(), path.string());
    metadata = {content.metadata.begin(), content.metadata.end()};
    input = nlohmann::json::parse(metadata.at("input_shape")).get<Shape>();
    input_seed = std::stoull(metadata.at("input_seed"));
    for (const TensorView& tensor : content.tensors) {
        std::vector<double>& values = results[tensor.name];
        values.resize(static_cast<std::size_t>(tensor.numel()));
        EXPECT_EQ(tensor.dtype, DType::f64);
        std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
    }
}

std::vector<float> Expected::images() const {
    std::size_t count = 1;
    for (const std::int64_t n : input) count *= static_cast<std::size_t>(n);
    std::vector<float> images(count);
    self_test_input(input_seed, images);
    return images;
}

std::map<std::string, std::vector<float>> run(const Model& model, const Expected& expected) {
    const ModelInfo& info = model.info();
    const auto n = static_cast<std::size_t>(expected.input[0]);
    std::map<std::string, std::vector<float>> found;
    found["logits"].resize(n * static_cast<std::size_t>(info.classes));
    found["features"].resize(n * static_cast<std::size_t>(info.features));
    found["tokens"].resize(n * static_cast<std::size_t>(info.tokens * info.embed_dim));
    model.run(expected.images(), expected.input[0],
              {found["logits"], found["features"], found["tokens"]});
    return found;
}

std::vector<std::string> folders(const fs::path& data) {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(data))
        if (fs::exists(entry.path() / "expected.safetensors"))
            names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
}

double exact_error(const Expected& expected, const fs::path& path) {
    const ModelFile file = ModelFile::open(path);
    const ImageSize size{expected.input[2], expected.input[3]};
    const Graph graph = build_vit(file.header().config, size);
    const WeightMap weights(file, size);
    const std::vector<float> images = expected.images();
    const auto count = static_cast<std::size_t>(expected.input[0]);
    const std::size_t floats = images.size() / count;
    std::map<std::string, std::vector<double>> found;
    for (std::size_t i = 0; i < count; ++i) {
        const ReferenceResult one =
            evaluate(graph, weights, std::span(images).subspan(i * floats, floats));
        for (const auto& [name, values] : {std::pair("logits", &one.logits),
                                           {"features", &one.features},
                                           {"tokens", &one.tokens}})
            found[name].insert(found[name].end(), values->begin(), values->end());
    }
    double worst = 0;
    for (const auto& [name, values] : expected.results) {
        const auto mine = found.find(name);
        if (mine == found.end()) continue;  // these are preprocessed pixels, not results
        EXPECT_EQ(mine->second.size(), values.size()) << name;
        worst = std::max(worst, test::relative_l2(mine->second, values));
    }
    return worst;
}

void expect_exact(const Expected& expected, const fs::path& model_file) {
    const double error = exact_error(expected, model_file);
    EXPECT_LE(error, exact_tolerance);
    testing::Test::RecordProperty("exact_error", fmt::format("{:.2e}", error));
}

void expect_close(const Expected& expected, const std::string& name,
                  const std::vector<float>& found) {
    SCOPED_TRACE(name);
    const std::vector<double>& values = expected.results.at(name);
    ASSERT_EQ(found.size(), values.size());
    const double error = test::relative_l2(found, values);
    EXPECT_LE(error, tolerance);
    testing::Test::RecordProperty(name + "_relative_l2", fmt::format("{:.2e}", error));
}

}  // namespace vit::golden
