// Compares logits of converted checkpoints of other libraries with those that the libraries
// computed in float64 (tools/fixtures/*_models.py, tests/data/sources).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "engine/model/model_writer.h"
#include "tests/golden/expected.h"
#include "tests/support/files.h"
#include "vit/model.h"
#include "weights/mappings/convert.h"

namespace vit {
namespace {

namespace fs = std::filesystem;

using golden::Expected;

const fs::path data = fs::path(VIT_TEST_DATA) / "sources";

ConvertOptions options_of(const Expected& expected) {
    ConvertOptions options;
    const auto arch = expected.metadata.find("arch");
    if (arch != expected.metadata.end()) options.arch = arch->second;
    if (expected.metadata.contains("img_size"))
        options.image_size = ImageSize{expected.input[2], expected.input[3]};
    return options;
}

fs::path weights_in(const fs::path& folder) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
        if (entry.path().stem() == "weights") return entry.path();
    return folder;
}

class Sources : public testing::TestWithParam<std::string> {};

TEST_P(Sources, Agrees) {
    const fs::path folder = data / GetParam();
    const Expected expected(folder / "expected.safetensors");
    const Converted converted = convert(read_checkpoint(weights_in(folder)), options_of(expected));
    const test::Folder out;
    write_model_file(out / "model.vit", converted.header, converted.tensors);
    const Model model = Model::load(out / "model.vit");
    EXPECT_EQ(model.info().height, expected.input[2]);
    EXPECT_EQ(model.info().width, expected.input[3]);

    std::vector<float> logits(static_cast<std::size_t>(expected.input[0] * model.info().classes));
    model.run(expected.images(), expected.input[0], {logits, {}, {}});
    golden::expect_close(expected, "logits", logits);
    golden::expect_exact(expected, out / "model.vit");
}

INSTANTIATE_TEST_SUITE_P(Models, Sources, testing::ValuesIn(golden::folders(data)),
                         [](const auto& folder) {
                             std::string name = folder.param;
                             std::ranges::replace(name, '.', '_');
                             return name;
                         });

/// The checkpoint with one additional tensor.
Checkpoint with_extra(Checkpoint checkpoint) {
    static constexpr std::array<float, 2> values{1, 2};
    checkpoint.tensors.push_back(
        {"surplus.weight", DType::f32, {2}, std::as_bytes(std::span(values))});
    return checkpoint;
}

TEST_P(Sources, RefusesATensorThatIsNotTheModels) {
    const fs::path folder = data / GetParam();
    const Expected expected(folder / "expected.safetensors");
    const Checkpoint checkpoint = with_extra(read_checkpoint(weights_in(folder)));
    EXPECT_THAT(
        test::message_of([&] { convert(checkpoint, options_of(expected)); }, ErrorKind::model),
        testing::HasSubstr("'surplus.weight' [2] is not part of a Vision Transformer as"));
}

TEST_P(Sources, NeedsEveryTensorThatItUses) {
    const fs::path folder = data / GetParam();
    const Expected expected(folder / "expected.safetensors");
    const Checkpoint whole = read_checkpoint(weights_in(folder));
    const Converted converted = convert(whole, options_of(expected));
    ASSERT_EQ(converted.tensor_report.size(), whole.tensors.size());
    for (std::size_t i = 0; i < whole.tensors.size(); ++i) {
        SCOPED_TRACE(whole.tensors[i].name);
        Checkpoint rest = whole;
        rest.tensors.erase(rest.tensors.begin() + static_cast<std::ptrdiff_t>(i));
        // This tensor is how the checkpoint is recognised as one of OpenAI's CLIP.
        if (whole.tensors[i].name == "input_resolution") continue;
        // vit-pytorch stores its class token even if mean pooling is used and nothing reads the
        // token.
        if (GetParam() == "vit_pytorch_mean" && whole.tensors[i].name == "cls_token") continue;
        // These tensors are reported as dropped, but they are needed: the query of the pooler is
        // computed from them.
        const bool in_latent = whole.tensors[i].name == "visual.attn_pool.query" ||
                               whole.tensors[i].name.starts_with("visual.attn_pool.ln_q.");
        // Without its class token, big_vision's ViT is a different valid model that pools by the
        // mean. Without its registers, DINOv2's is the variant without registers.
        if ((!converted.tensor_report[i].used && !in_latent) ||
            whole.tensors[i].name == "params/cls" || whole.tensors[i].name == "register_tokens")
            EXPECT_NO_THROW(convert(rest, options_of(expected)));
        else
            EXPECT_THROW(convert(rest, options_of(expected)), Error);
    }
}

TEST_P(Sources, AsksForWhatTheTensorsDoNotTell) {
    const fs::path folder = data / GetParam();
    ConvertOptions options = options_of(Expected(folder / "expected.safetensors"));
    if (!options.arch) return;
    options.arch.reset();
    const Checkpoint checkpoint = read_checkpoint(weights_in(folder));
    EXPECT_THAT(test::message_of([&] { convert(checkpoint, options); }, ErrorKind::usage),
                testing::AllOf(testing::HasSubstr("recognised "), testing::HasSubstr("--arch"),
                               testing::HasSubstr("heads=N")));
}

std::string arch_error(std::string_view folder, std::string_view arch) {
    const Checkpoint checkpoint = read_checkpoint(weights_in(data / folder));
    ConvertOptions options;
    options.arch = arch;
    return test::message_of([&] { convert(checkpoint, options); }, ErrorKind::usage);
}

TEST(SourcesArch, IsReadStrictly) {
    using testing::HasSubstr;
    EXPECT_THAT(arch_error("torchvision", "vit_base_patch16_224"),
                HasSubstr("expected torchvision.NAME, found 'vit_base_patch16_224'"));
    EXPECT_THAT(arch_error("torchvision", "torchvision.vit_b_16"),
                HasSubstr("of width 18, 2 blocks, MLP width 28, 8x8 patches: expected "
                          "torchvision.VisionTransformer:heads=N"));
    EXPECT_THAT(arch_error("torchvision", "torchvision.VisionTransformer:head=3"),
                HasSubstr("expected heads=VALUE or weights=VALUE, found 'head=3'"));
    EXPECT_THAT(arch_error("torchvision", "torchvision.VisionTransformer:heads=0"),
                HasSubstr("heads: expected a number, found '0'"));
    EXPECT_THAT(arch_error("torchvision", "torchvision.VisionTransformer:heads=3,heads=3"),
                HasSubstr("heads is given twice"));
    EXPECT_THAT(arch_error("torchvision", "torchvision.VisionTransformer:heads=4"),
                HasSubstr("heads: expected a divisor of 18, found 4"));
    EXPECT_THAT(arch_error("torchvision", "torchvision.VisionTransformer:heads=3,weights=X"),
                HasSubstr("weights: expected none"));
    EXPECT_THAT(arch_error("vit_pytorch_0.20.0_mean", "vit_pytorch.ViT:heads=3"),
                HasSubstr("add pool=cls or pool=mean"));
    EXPECT_THAT(arch_error("vit_pytorch_0.20.0_mean", "vit_pytorch.ViT:heads=5,pool=cls"),
                HasSubstr("expected heads times dim_head to be 18, found 5 times 3"));
    EXPECT_THAT(arch_error("dino_training", "vit_small_patch16_224"),
                HasSubstr("vit_small_patch16_224 has width 384 and 12 blocks, but the tensors have "
                          "width 18 and 2 blocks"));
}

}  // namespace
}  // namespace vit
