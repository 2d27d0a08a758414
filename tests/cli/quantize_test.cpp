// Runs vit-convert --quantize as a user does.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "engine/model/model_file.h"
#include "engine/model/model_writer.h"
#include "tests/cli/convert_fixture.h"

namespace vit::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class QuantizeTool : public ConvertTest {
  protected:
    std::string out() const { return path("model.vit"); }
    Finished convert(const std::string& source, std::vector<std::string> more) const {
        std::vector<std::string> arguments{VIT_CONVERT, source, "-o", out(), "--quantize", "int8"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run(arguments);
    }
    static std::string timm(const std::string& name) {
        return std::string(VIT_TEST_DATA) + "/timm/" + name;
    }

    /// The true class of each test image.
    static std::map<std::string, std::string> truth() {
        std::map<std::string, std::string> labels;
        std::istringstream stream(read(digits() / "test/labels.csv"));
        std::string line;
        std::getline(stream, line);
        while (std::getline(stream, line))
            labels[line.substr(0, line.find(','))] = line.substr(line.find(',') + 1);
        return labels;
    }
    /// A folder with a folder for each class, of the first `count` test images.
    std::string classes(std::size_t count) const {
        for (const auto& [file, label] : truth()) {
            if (count-- == 0) break;
            fs::create_directories(path("classes/" + label));
            fs::copy_file(digits() / "test" / file, path("classes/" + label + "/" + file));
        }
        return path("classes");
    }
    QuantizationReport report() const { return *ModelFile::open(out()).header().quantization; }
};

TEST_F(QuantizeTool, TellsWhatInt8Costs) {
    const Finished done = convert(digits(), {"--calibrate", classes(80)});
    ASSERT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("int8: 24 of 24 linears of the blocks; 32 images calibrated, "
                                    "48 measured: logits' cosine to float mean "));
    const QuantizationReport found = report();
    EXPECT_EQ(found.linears.size(), 24u);
    for (std::size_t i = 0; i < found.errors.size(); ++i) {
        EXPECT_GT(found.errors[i], 1e-3) << found.linears[i];
        EXPECT_LT(found.errors[i], 0.1) << found.linears[i];
    }
    EXPECT_EQ(found.calibrated_images, 32);
    EXPECT_EQ(found.measured_images, 48);
    EXPECT_GT(found.mean_cosine, 0.999);
    EXPECT_LE(found.worst_cosine, found.mean_cosine);
    EXPECT_GT(found.top1_agreement, 0.97);
    EXPECT_GT(found.float_accuracy, 0.95);
    EXPECT_GT(found.int8_accuracy, 0.95);
    EXPECT_EQ(run({tool(), out(), "--verify"}).status, 0);
    const Finished info = run({tool(), out(), "--info"});
    EXPECT_THAT(info.out, HasSubstr("int8          24 of 24 linears of the blocks\n"));
    EXPECT_THAT(info.out, testing::ContainsRegex("int8 loss +on 48 images: logits' cosine .*, same "
                                                 "top-1 .*, accuracy .* %"));
    EXPECT_THAT(info.out, testing::ContainsRegex("\n +[0-9.]+ %  blocks.3.mlp.fc2\n"));
}

TEST_F(QuantizeTool, KeepsImagesThatVerifyRunsAgain) {
    ASSERT_EQ(convert(digits(), {"--calibrate", digits() / "samples", "--quiet"}).status, 0);
    for (const char* isa : {"VIT_ISA=baseline", "VIT_UNUSED="}) {
        const Finished done = run({"/usr/bin/env", isa, tool(), out(), "--verify"});
        EXPECT_EQ(done.status, 0) << done.out;
        EXPECT_THAT(done.out, testing::ContainsRegex(
                                  "[1-8] images? of the file replayed: cosine to float mean .*, "
                                  "worst .*; when converted mean .*, worst "));
    }

    // Other results in float than those of the images.
    const ModelFile file = ModelFile::open(out());
    std::vector<TensorView> tensors = file.tensors();
    TensorView& outputs = *std::ranges::find(tensors, "quantization.outputs", &TensorView::name);
    std::vector<float> values = to_f32(outputs);
    for (float& value : values) value += 1;
    outputs.data = std::as_bytes(std::span(values));
    write_model_file(path("other.vit"), file.header(), tensors);
    const Finished failed = run({tool(), path("other.vit"), "--verify"});
    EXPECT_EQ(failed.status, 3);
    EXPECT_THAT(failed.err, HasSubstr("of the file failed: "));
}

TEST_F(QuantizeTool, TellsNoAccuracyWithoutAFolderForEachClass) {
    ASSERT_EQ(convert(digits(), {"--calibrate", digits() / "samples", "--quiet"}).status, 0);
    EXPECT_EQ(report().calibrated_images, 10);
    EXPECT_EQ(report().measured_images, 10);
    EXPECT_TRUE(report().top1_agreement);
    EXPECT_FALSE(report().float_accuracy);
    EXPECT_FALSE(report().int8_accuracy);
}

TEST_F(QuantizeTool, TellsTheErrorsOfWeightsWithoutImages) {
    const Finished done = convert(digits(), {});
    ASSERT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("--calibrate FOLDER tells what that costs"));
    EXPECT_EQ(report().measured_images, 0);
    EXPECT_EQ(report().linears.size(), 24u);
    EXPECT_THAT(run({tool(), out(), "--info"}).out,
                HasSubstr("no images; relative errors of the linears' weights:"));
}

/// At most one more of the 360 digits may be wrong: 0.28 points.
TEST_F(QuantizeTool, KeepsTheAccuracyOfTheDigits) {
    for (const bool calibrated : {false, true}) {
        std::vector<std::string> more{"--quiet"};
        if (calibrated) more.insert(more.end(), {"--calibrate", digits() / "samples"});
        ASSERT_EQ(convert(digits(), more).status, 0);
        const auto labels = truth();
        int right = 0;
        for (const auto& record :
             lines_of(run({tool(), out(), digits() / "test", "--format", "jsonl", "-k", "1"}).out))
            right += record["predictions"][0]["label"] ==
                     labels.at(fs::path(record["file"].get<std::string>()).filename());
        EXPECT_GE(right, 355) << calibrated;
    }
}

TEST_F(QuantizeTool, KeepsLinearsInFloatUntilTheDropIsSmallEnough) {
    // A model without classes: the drop is that of the features' mean cosine.
    const std::string source = timm("no_head"), images = digits() / "samples";
    ASSERT_EQ(convert(source, {"--calibrate", images, "--quiet"}).status, 0);
    const double drop = 100 * (1 - report().mean_cosine);
    EXPECT_EQ(report().compared, "features");
    EXPECT_FALSE(report().top1_agreement);

    const auto with_most = [&](double most) {
        return convert(source, {"--calibrate", images, "--max-drop", std::to_string(most)});
    };
    ASSERT_EQ(with_most(drop * 1.01).status, 0);
    EXPECT_TRUE(ModelFile::open(out()).header().float_linears.empty());
    const Finished done = with_most(drop * 0.9);
    ASSERT_EQ(done.status, 0) << done.err;
    const ModelFile file = ModelFile::open(out());
    const std::vector<std::string>& kept = file.header().float_linears;
    ASSERT_FALSE(kept.empty());
    EXPECT_EQ(file.get(kept[0] + ".weight").dtype, DType::f32);
    EXPECT_LE(100 * (1 - report().mean_cosine), drop * 0.9);
    EXPECT_EQ(run({tool(), out(), "--verify"}).status, 0);
    EXPECT_THAT(run({tool(), out(), "--info"}).out,
                HasSubstr(kept[0] + "  stays in float: one of the largest errors"));

    fs::remove(out());
    expect_error(with_most(0), 3, "--max-drop 0: the drop is ");
    EXPECT_FALSE(fs::exists(out()));
}

TEST_F(QuantizeTool, SkipsFilesThatAreNoImages) {
    const std::string folder = classes(10);
    write("classes/broken.png", "no image");
    const Finished done = convert(digits(), {"--calibrate", folder});
    ASSERT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("1 of 11 images cannot be decoded"));
    EXPECT_EQ(report().calibrated_images + report().measured_images, 10);
}

TEST_F(QuantizeTool, RefusesFoldersThatItCannotUse) {
    fs::create_directories(path("empty"));
    expect_error(convert(digits(), {"--calibrate", path("empty")}), 1, "no images here");
    expect_error(convert(digits(), {"--calibrate", path("missing")}), 74,
                 "expected a folder of images");
    copy_sample("01_five.png", "one/five.png");
    expect_error(convert(digits(), {"--calibrate", path("one")}), 1,
                 "expected at least 2 images, one to calibrate on and one to measure on, found 1");
    write("two/a.png", "no image");
    write("two/b.png", "no image");
    expect_error(convert(digits(), {"--calibrate", path("two")}), 1, "too few images");
    expect_error(convert(digits(), {"--calibrate", ""}), 2, "--calibrate: expected a folder");
    expect_error(convert(digits(), {"--max-drop", "1"}), 2, "--calibrate");
    expect_error(convert(digits(), {"--calibrate", path("two"), "--max-drop", "-1"}), 2,
                 "--max-drop");
    expect_error(run({VIT_CONVERT, digits(), "-o", out(), "--calibrate", path("two")}), 2,
                 "--quantize");
    EXPECT_FALSE(fs::exists(out()));
}

}  // namespace
}  // namespace vit::test
