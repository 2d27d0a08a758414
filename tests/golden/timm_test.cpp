// Compares logits, features and tokens of converted checkpoints with those that timm computed in
// float64 (tools/fixtures/timm_models.py).
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "engine/model/model_writer.h"
#include "tests/golden/expected.h"
#include "tests/support/files.h"
#include "vit/model.h"
#include "weights/mappings/convert.h"
#include "weights/random_model/random_model.h"

namespace vit {
namespace {

namespace fs = std::filesystem;

using golden::Expected;

const fs::path data = fs::path(VIT_TEST_DATA) / "timm";

void expect_agreement(const fs::path& model_file, const Expected& expected) {
    for (int threads : {1, 2}) {
        LoadOptions options{.threads = threads};
        options.height = expected.input[2];
        options.width = expected.input[3];
        const Model model = Model::load(model_file, options);
        std::map<std::string, std::vector<float>> found = golden::run(model, expected);
        for (const auto& [name, values] : expected.results)
            golden::expect_close(expected, name, found[name]);
    }
}

/// A converted checkpoint. The file is deleted with this object.
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
    const Expected expected(folder / "expected.safetensors");
    expect_agreement(file.path, expected);
    golden::expect_exact(expected, file.path);
}

TEST_P(Timm, WouldNotAgreeWithAnotherEpsilon) {
    const fs::path folder = data / GetParam();
    const Converted converted = convert(read_checkpoint(folder), {});
    ModelHeader header = converted.header;
    // Libraries sometimes confuse these two values.
    header.config.norm_eps = header.config.norm_eps == 1e-6 ? 1e-5 : 1e-6;
    const test::Folder out;
    write_model_file(out / "model.vit", header, converted.tensors);
    EXPECT_GT(golden::exact_error(Expected(folder / "expected.safetensors"), out / "model.vit"),
              5 * golden::exact_tolerance);
}

TEST_P(Timm, AgreesAtOtherImageSizes) {
    const fs::path folder = data / GetParam();
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        if (!entry.path().filename().string().starts_with("expected_")) continue;
        SCOPED_TRACE(entry.path().filename());
        const Expected expected(entry.path());
        // The table is resized first when the model is loaded, then when it is converted.
        expect_agreement(ConvertedFile(folder).path, expected);
        ConvertOptions options;
        options.image_size = ImageSize{expected.input[2], expected.input[3]};
        expect_agreement(ConvertedFile(folder, options).path, expected);
    }
}

INSTANTIATE_TEST_SUITE_P(Models, Timm, testing::ValuesIn(golden::folders(data)),
                         [](const auto& folder) { return folder.param; });

TEST(TimmFixtures, HasFixtures) {
    EXPECT_GE(golden::folders(data).size(), 25u);
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
