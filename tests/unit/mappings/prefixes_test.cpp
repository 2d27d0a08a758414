// Models inside larger modules, in the forms in which trainers save them
// (tools/fixtures/wrapped_models.py).
#include "weights/mappings/common/prefixes.h"

#include <filesystem>

#include "tests/support/files.h"
#include "weights/mappings/convert.h"

namespace vit {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Checkpoint wrapped(const std::string& file) {
    return read_checkpoint(std::string(VIT_TEST_DATA) + "/wrapped/" + file);
}

Converted converted(const std::string& file, const std::optional<std::string>& prefix = {}) {
    ConvertOptions options;
    options.prefix = prefix;
    return convert(wrapped(file), options);
}

void expect_same_weights(const Converted& found, const std::string& plain) {
    const Converted expected = converted(plain);
    ASSERT_EQ(found.tensors.size(), expected.tensors.size());
    for (std::size_t i = 0; i < expected.tensors.size(); ++i) {
        SCOPED_TRACE(expected.tensors[i].name);
        EXPECT_EQ(found.tensors[i].name, expected.tensors[i].name);
        EXPECT_EQ(to_f32(found.tensors[i]), to_f32(expected.tensors[i]));
    }
}

std::vector<std::string> dropped(const Converted& model) {
    std::vector<std::string> names;
    for (const ReportLine& line : model.tensor_report)
        if (!line.used) names.push_back(line.name + ": " + line.text);
    return names;
}

TEST(Prefixes, OfLightning) {
    const Converted model = converted("lightning.ckpt");
    expect_same_weights(model, "plain.safetensors");
    EXPECT_THAT(dropped(model), ElementsAre("criterion.weight: lies outside the prefix 'model.'"));
    EXPECT_EQ(model.tensor_report[0].name, "model.cls_token");
    EXPECT_THAT(
        model.header.provenance.notes,
        Contains("took the prefix 'model.' off 20 names; left out 1 that lie outside of it, "
                 "such as 'criterion.weight'"));
    EXPECT_THAT(model.header.provenance.notes, Contains(HasSubstr("'hyper_parameters'")));
}

TEST(Prefixes, OfCompiledAndParallelModels) {
    const Converted compiled = converted("compiled.pth");
    expect_same_weights(compiled, "plain.safetensors");
    EXPECT_THAT(compiled.header.provenance.notes,
                AllOf(Contains("took _orig_mod. out of 20 names"),
                      Contains("took the prefix 'net.' off 20 names")));
    const Converted parallel = converted("parallel.pth");
    expect_same_weights(parallel, "plain.safetensors");
    EXPECT_THAT(dropped(parallel), ElementsAre("fc.weight: lies outside the prefix 'backbone.'",
                                               "fc.bias: lies outside the prefix 'backbone.'"));
    EXPECT_THAT(parallel.header.provenance.notes,
                Contains("took _orig_mod. and module. out of 22 names"));
    const Converted sharded = converted("fsdp.pth");
    expect_same_weights(sharded, "plain.safetensors");
    EXPECT_THAT(sharded.header.provenance.notes,
                Contains("took _fsdp_wrapped_module. out of 20 names"));
}

TEST(Prefixes, OfAModelAndItsAverage) {
    EXPECT_THAT(test::message_of([] { converted("averaged.pth"); }, ErrorKind::usage),
                AllOf(HasSubstr("averaged.pth"),
                      HasSubstr("found 2 Vision Transformers, under the prefixes 'model.' (20 "
                                "tensors), 'ema.' (21 tensors); choose one with --prefix NAME.")));
    expect_same_weights(converted("averaged.pth", "model."), "other.safetensors");
    for (const char* prefix : {"ema.", "ema", "ema.module."}) {
        const Converted average = converted("averaged.pth", prefix);
        expect_same_weights(average, "plain.safetensors");
        EXPECT_THAT(
            dropped(average),
            AllOf(Contains("model.norm.bias: lies outside the prefix 'ema.'"),
                  Contains("ema.n_averaged: counts the averages of torch's AveragedModel")));
    }
    expect_same_weights(converted("average_alone.pth"), "plain.safetensors");
    expect_same_weights(converted("model_ema.pth", "model_ema."), "plain.safetensors");
    expect_same_weights(converted("model_ema.pth", "encoder."), "other.safetensors");
}

TEST(Prefixes, OfStudentAndTeacher) {
    EXPECT_THAT(test::message_of([] { converted("distilled.pth"); }, ErrorKind::usage),
                AllOf(HasSubstr("'student.'"), HasSubstr("'teacher.'"), HasSubstr("--prefix")));
    expect_same_weights(converted("distilled.pth", "student."), "other.safetensors");
    expect_same_weights(converted("distilled.pth", "teacher."), "plain.safetensors");
    EXPECT_THAT(test::message_of([] { converted("distilled.pth", "pupil."); }, ErrorKind::usage),
                HasSubstr("--prefix: no tensor's name begins with 'pupil.'; Vision Transformers "
                          "begin at 'student.' (20 tensors), 'teacher.' (20 tensors)"));
}

TEST(Prefixes, AreSaidWhereATensorIsMissing) {
    Checkpoint checkpoint = wrapped("lightning.ckpt");
    std::erase_if(checkpoint.tensors,
                  [](const TensorView& t) { return t.name == "model.norm.bias"; });
    EXPECT_THAT(test::message_of([&] { convert(checkpoint); }, ErrorKind::model),
                AllOf(HasSubstr("'norm.bias' is missing"),
                      HasSubstr("names without their prefix 'model.'")));
}

/// Selects from a checkpoint that has only names.
Selection selected(const std::vector<std::string>& names,
                   const std::optional<std::string>& asked = {}) {
    Checkpoint checkpoint;
    for (const std::string& name : names) checkpoint.tensors.push_back({name, DType::f32, {1}, {}});
    return select_prefix(checkpoint, asked);
}

TEST(Prefixes, OfOtherLibraries) {
    const std::vector<std::pair<std::string, std::string>> first{
        {"net.vit.embeddings.patch_embeddings.projection.weight", "net."},
        {"vit.embeddings.patch_embeddings.projection.weight", ""},
        {"vit.patch_embed.proj.weight", "vit."},
        {"net.vision_model.embeddings.patch_embedding.weight", "net."},
        {"vision_model.embeddings.patch_embedding.weight", ""},
        {"a.b.conv_proj.weight", "a.b."},
        {"clip.visual.conv1.weight", "clip."},
        {"clip.visual.trunk.patch_embed.proj.weight", "clip."},
        {"net.to_patch_embedding.1.weight", "net."},
        {"layer1.0.conv1.weight", ""},
        {"notpatch_embed.proj.weight", ""},
    };
    for (const auto& [name, prefix] : first) {
        SCOPED_TRACE(name);
        const Selection selection = selected({name});
        EXPECT_EQ(selection.prefix, prefix);
        EXPECT_THAT(selection.outside, IsEmpty());
    }
    // Checkpoints of Facebook's training code keep their names, because their mapping expects them.
    EXPECT_EQ(selected({"backbone.patch_embed.proj.weight", "dino_head.mlp.0.weight"}).prefix, "");
    EXPECT_EQ(selected({"a.backbone.patch_embed.proj.weight", "a.head.mlp.0.weight"}).prefix, "a.");
    EXPECT_EQ(selected({"backbone.patch_embed.proj.weight", "head.weight"}).prefix, "backbone.");
}

TEST(Prefixes, OfModelsWithinModels) {
    const std::vector<std::string> names{"patch_embed.proj.weight", "norm.weight",
                                         "ema.patch_embed.proj.weight", "ema.norm.weight"};
    EXPECT_THAT(test::message_of([&] { selected(names); }, ErrorKind::usage),
                HasSubstr("'' (2 tensors), 'ema.' (2 tensors)"));
    EXPECT_EQ(selected(names, "").outside.size(), 2u);
    EXPECT_EQ(selected(names, "ema.").outside.size(), 2u);
    EXPECT_EQ(selected(names, "ema.").checkpoint.tensors[1].name, "norm.weight");
}

TEST(Prefixes, OfVeryManyModelsCostLittle) {
    std::vector<std::string> names;
    for (int i = 0; i < 60'000; ++i)
        names.push_back(std::to_string(i) + ".backbone.patch_embed.proj.weight");
    EXPECT_THAT(test::message_of([&] { selected(names); }, ErrorKind::usage),
                AllOf(HasSubstr("found 64 or more Vision Transformers"), HasSubstr("'0.backbone.'"),
                      HasSubstr(", …; choose one")));
    EXPECT_EQ(selected(names, "50000.").checkpoint.tensors.size(), 1u);
    EXPECT_EQ(selected({std::string(100'000, 'x') + ".patch_embed.proj.weight"}).prefix.size(),
              100'001u);
}

}  // namespace
}  // namespace vit
