#include "engine/base/random.h"

#include <charconv>
#include <cmath>

#include "engine/model/model_tensors.h"
#include "support.h"
#include "weights/random_model/random_model.h"

namespace vit {
namespace {

TEST(Random, EqualsPythonBitForBit) {
    const test::Golden golden("shared_random.safetensors");
    int uniforms = 0, inputs = 0, weights = 0;
    for (const TensorView& tensor : golden.content.tensors) {
        const std::size_t slash = tensor.name.find('/');
        const std::string kind = tensor.name.substr(0, slash);
        std::uint64_t seed = 0;
        const char* const end = tensor.name.data() + tensor.name.size();
        const char* const rest = std::from_chars(tensor.name.data() + slash + 1, end, seed).ptr;
        const auto expected = to_f32(tensor);
        std::vector<float> found(expected.size());
        if (kind == "uniform") {
            ++uniforms;
            fill_random("tensor", seed, found);
        } else if (kind == "input") {
            ++inputs;
            self_test_input(seed, found);
        } else {
            ++weights;
            fill_random_weights(std::string_view(rest + 1, end), tensor.shape, seed, found);
        }
        EXPECT_EQ(std::memcmp(found.data(), expected.data(), found.size() * 4), 0) << tensor.name;
    }
    EXPECT_EQ(uniforms, 3);
    EXPECT_EQ(inputs, 3);
    EXPECT_EQ(weights, 3 * 15);
}

TEST(Random, IsUniform) {
    std::vector<float> u(1 << 20);
    fill_random("x", 3, u);
    double sum = 0, squares = 0;
    for (float value : u) {
        ASSERT_GE(value, -1.0f);
        ASSERT_LT(value, 1.0f);
        sum += value;
        squares += static_cast<double>(value) * value;
    }
    const double n = static_cast<double>(u.size());
    EXPECT_NEAR(sum / n, 0, 4 / std::sqrt(3 * n));  // four standard errors
    EXPECT_NEAR(squares / n, 1.0 / 3, 4 * std::sqrt(4.0 / 45 / n));
}

TEST(RandomModel, HoldsEveryRequiredTensor) {
    const test::Folder folder;
    const ModelHeader header = test::tiny_header();
    write_random_model(folder / "m.vit", header, 5);
    const ModelFile file = ModelFile::open(folder / "m.vit");
    const auto specs = required_tensors(header.config);
    ASSERT_EQ(file.tensors().size(), specs.size());
    for (const TensorSpec& spec : specs) {
        const auto found = to_f32(file.get(spec.name));
        std::vector<float> expected(found.size());
        fill_random_weights(spec.name, spec.shape, 5, expected);
        EXPECT_EQ(found, expected) << spec.name;
    }
    ModelHeader tested = header;
    tested.self_test.emplace();
    test::message_of([&] { write_random_model(folder / "m.vit", tested, 5); }, ErrorKind::usage);
}

}  // namespace
}  // namespace vit
