// Tests the requirements on a checkpoint of transformers. tests/golden compares the resulting
// numbers with those of transformers.
#include <gmock/gmock.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "tests/support/files.h"
#include "weights/mappings/convert.h"
#include "weights/mappings/transformers/transformers_images.h"

namespace vit {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

/// A checkpoint that a test can change.
struct Tampered {
    explicit Tampered(const std::string& name)
        : checkpoint(read_checkpoint(std::string(VIT_TEST_DATA) + "/transformers/" + name)) {}

    void configure(const std::function<void(json&)>& change) {
        json config = json::parse(*checkpoint.config_json);
        change(config);
        checkpoint.config_json = config.dump();
    }
    void configure_images(const std::function<void(json&)>& change) {
        json config = json::parse(*checkpoint.preprocessor_json);
        change(config);
        checkpoint.preprocessor_json = config.dump();
    }
    void zeros(const std::string& name, Shape shape) {
        values.assign(4096, 0.0f);
        TensorView tensor{name, DType::f32, std::move(shape), {}};
        tensor.data = std::as_bytes(std::span(values))
                          .first(static_cast<std::size_t>(tensor.numel()) * sizeof(float));
        checkpoint.tensors.push_back(tensor);
    }
    std::string refused(ErrorKind kind = ErrorKind::model, const ConvertOptions& options = {}) {
        return test::message_of([&] { convert(checkpoint, options); }, kind);
    }

    Checkpoint checkpoint;
    std::vector<float> values;
};

std::vector<ReportLine> dropped(const std::vector<ReportLine>& report) {
    std::vector<ReportLine> out;
    for (const ReportLine& line : report)
        if (!line.used) out.push_back(line);
    return out;
}

TEST(Transformers, TellsAboutEveryTensorAndKey) {
    for (const char* name : {"vit", "vit_older", "deit_teacher", "dinov2_registers", "clip",
                             "clip_older", "clip_vision", "siglip_classifier"}) {
        SCOPED_TRACE(name);
        Tampered t(name);
        const Converted model = convert(t.checkpoint);
        EXPECT_EQ(model.tensor_report.size(), t.checkpoint.tensors.size());
        const json config = json::parse(*t.checkpoint.config_json);
        std::size_t keys = config.size() + json::parse(*t.checkpoint.preprocessor_json).size();
        for (const char* half : {"vision_config_dict", "vision_config"})
            if (config.contains(half)) {
                keys += config[half].size() - 1;
                break;
            }
        EXPECT_EQ(model.keys.size(), keys);
        for (const ReportLine& line : dropped(model.keys)) EXPECT_NE(line.text, "") << line.name;
        for (const ReportLine& line : dropped(model.tensor_report))
            EXPECT_NE(line.text, "") << line.name;
    }
}

TEST(Transformers, NamesMissingTensors) {
    for (const char* name : {"vit_classifier", "deit_teacher", "dinov2_registers", "clip_vision",
                             "clip_vision_projection"}) {
        const Tampered whole(name);
        for (std::size_t i = 0; i < whole.checkpoint.tensors.size(); ++i) {
            Tampered t(name);
            const std::string gone = t.checkpoint.tensors[i].name;
            if (gone.ends_with("mask_token")) continue;  // not used
            t.checkpoint.tensors.erase(t.checkpoint.tensors.begin() +
                                       static_cast<std::ptrdiff_t>(i));
            EXPECT_THAT(t.refused(), HasSubstr("tensor '" + gone + "' is missing")) << name;
        }
    }
}

TEST(Transformers, NamesExtraTensors) {
    for (const char* extra : {"vit.embeddings.patch_embeddings.other", "encoder.layer.0.ls",
                              "classifier.scale", "other.embeddings.cls_token"}) {
        Tampered t("vit_classifier");
        t.zeros(extra, {24});
        EXPECT_THAT(t.refused(), AllOf(HasSubstr(extra), HasSubstr("transformers")));
    }
    Tampered t("vit_classifier");
    t.zeros("vit.encoder.layer.2.layernorm_before.weight", {24});
    EXPECT_THAT(t.refused(), HasSubstr("vit.encoder.layer.2.layernorm_before.weight"));
    t = Tampered("vit_classifier");
    t.zeros("embeddings.cls_token", {1, 1, 24});
    EXPECT_THAT(t.refused(), AllOf(HasSubstr("'vit.embeddings.cls_token'"), HasSubstr("both")));
}

TEST(Transformers, NamesWrongShapes) {
    Tampered t("clip");
    t.configure([](json& c) { c["vision_config"]["intermediate_size"] = 37; });
    EXPECT_THAT(t.refused(), AllOf(HasSubstr("mlp.fc1"), HasSubstr("36"), HasSubstr("37")));
    t = Tampered("dinov2");
    t.configure([](json& c) { c["use_swiglu_ffn"] = true; });
    EXPECT_THAT(t.refused(), HasSubstr("mlp.fc1"));
}

TEST(Transformers, DropsWhatAClassDoesNotRead) {
    Tampered t("vit_classifier");
    t.zeros("vit.pooler.dense.bias", {24});
    EXPECT_THAT(convert(t.checkpoint).header.provenance.notes,
                Contains(AllOf(HasSubstr("'vit.pooler.dense.bias'"), HasSubstr("does not read"))));

    const Converted clip = convert(Tampered("clip").checkpoint);
    for (const ReportLine& line : dropped(clip.tensor_report))
        EXPECT_THAT(line.text, HasSubstr("text half")) << line.name;
    EXPECT_GT(dropped(clip.tensor_report).size(), 15U);
    EXPECT_THAT(clip.header.provenance.notes, Contains(HasSubstr("projection has no bias")));
}

TEST(Transformers, NamesConfigurationKeys) {
    struct Case {
        const char* checkpoint;
        std::function<void(json&)> change;
        const char* words;
    };
    const Case cases[] = {
        {"vit", [](json& c) { c["use_magic"] = true; }, "unknown key 'use_magic'"},
        {"vit", [](json& c) { c["layerscale_value"] = 1; }, "unknown key 'layerscale_value'"},
        {"clip", [](json& c) { c["vision_config"]["use_magic"] = 1; }, "'vision_config.use_magic'"},
        {"vit", [](json& c) { c["hidden_size"] = "24"; }, "config.json' hidden_size"},
        {"vit", [](json& c) { c["hidden_size"] = 0; }, "hidden_size: expected 1"},
        {"vit", [](json& c) { c["patch_size"] = 0; }, "patch_size: expected 1"},
        {"vit", [](json& c) { c["num_attention_heads"] = 5; }, "a divisor of hidden_size 24"},
        {"vit", [](json& c) { c["hidden_act"] = "gelu_fast"; }, "activation 'gelu_fast'"},
        {"vit", [](json& c) { c["pooler_act"] = "relu"; }, "pooler_act"},
        {"vit", [](json& c) { c["layer_norm_eps"] = 0; }, "norm_eps"},
        {"vit", [](json& c) { c.erase("architectures"); }, "architectures is missing"},
        {"vit", [](json& c) { c["architectures"] = {"ViTMAEModel"}; }, "'ViTMAEModel'"},
        {"vit", [](json& c) { c["architectures"] = {"DeiTModel"}; }, "expected ViTModel"},
        {"vit",
         [](json& c) {
             c["architectures"] = {"ViTModel", "X"};
         },
         "a list of one class"},
        {"vit", [](json& c) { c["model_type"] = "beit"; }, "model_type: expected vit, deit"},
        {"siglip", [](json& c) { c["model_type"] = "siglip2"; }, "images of any shape (NaFlex)"},
        {"siglip", [](json& c) { c["model_type"] = "siglip2_vision_model"; },
         "images of any shape (NaFlex)"},
        {"vit",
         [](json& c) {
             c["pruned_heads"] = {{"0", {1}}};
         },
         "no pruned heads"},
        {"vit_classifier", [](json& c) { c["id2label"].erase("0"); }, "id2label"},
        {"vit_classifier", [](json& c) { c.erase("id2label"); }, "'classifier."},
        {"dinov2", [](json& c) { c["mlp_ratio"] = 0; }, "mlp_ratio"},
        {"clip", [](json& c) { c["vision_config"] = 3; }, "vision_config: expected an object"},
        {"siglip", [](json& c) { c["vision_config"]["vision_use_head"] = false; },
         "vision_use_head"},
    };
    for (const Case& each : cases) {
        Tampered t(each.checkpoint);
        t.configure(each.change);
        EXPECT_THAT(t.refused(), HasSubstr(each.words)) << each.words;
    }
    Tampered t("vit");
    t.checkpoint.config_json = "{\"model_type\": \"vit\"";
    EXPECT_THAT(t.refused(ErrorKind::format), HasSubstr("not valid JSON"));
    t = Tampered("vit");
    ConvertOptions options;
    options.arch = "vit_base_patch16_224";
    EXPECT_THAT(t.refused(ErrorKind::usage, options), HasSubstr("--arch"));
}

TEST(Transformers, NamesImageProcessorKeys) {
    struct Case {
        std::function<void(json&)> change;
        const char* words;
    };
    const Case cases[] = {
        {[](json& c) { c["do_magic"] = true; }, "unknown key 'do_magic'"},
        {[](json& c) { c["do_resize"] = false; }, "do_resize: expected true"},
        {[](json& c) { c["do_pad"] = true; }, "do_pad"},
        {[](json& c) { c["resample"] = 4; }, "resample: expected 0"},
        {[](json& c) {
             c["size"] = {{"longest_edge", 8}};
         },
         "size: expected"},
        {[](json& c) {
             c["size"] = {{"height", 8}};
         },
         "size: expected"},
        {[](json& c) {
             c["size"] = {{"shortest_edge", 0}};
         },
         "1 to 65535"},
        {[](json& c) { c["do_center_crop"] = false; }, "images of any shape"},
        {[](json& c) { c["crop_size"] = nullptr; }, "crop_size is missing"},
        {[](json& c) {
             c["crop_size"] = {{"height", 16}, {"width", 12}};
         },
         "one share"},
        {[](json& c) { c["crop_size"] = 30; }, "a border is not supported"},
        {[](json& c) {
             c["image_mean"] = {1, 2};
         },
         "image_mean: expected one or three"},
        {[](json& c) { c["rescale_factor"] = 0; }, "rescale_factor: expected a number above 0"},
        {[](json& c) { c["image_processor_type"] = "BeitImageProcessor"; }, "Siglip"},
        {[](json& c) { c.erase("image_processor_type"); }, "image_processor_type is missing"},
        {[](json& c) { c["crop_size"] = 12; }, "pass --img-size"},
    };
    for (const Case& each : cases) {
        Tampered t("clip");
        t.configure_images(each.change);
        EXPECT_THAT(t.refused(),
                    AllOf(HasSubstr("preprocessor_config.json"), HasSubstr(each.words)))
            << each.words;
    }
    Tampered t("clip");
    t.checkpoint.preprocessor_json.reset();
    EXPECT_THAT(t.refused(), HasSubstr("preprocessor_config.json' is missing"));
    t.checkpoint.preprocessor_json = "[";
    EXPECT_THAT(t.refused(ErrorKind::format), HasSubstr("not valid JSON"));
}

TEST(Transformers, ReadsImageProcessors) {
    std::vector<ReportLine> report;
    const Preprocessing inner = read_image_processor(
        R"({"image_processor": {"image_processor_type": "CLIPImageProcessorFast"},
            "processor_class": "CLIPProcessor"})",
        report);
    EXPECT_EQ(inner.input_size, (ImageSize{224, 224}));
    EXPECT_EQ(inner.crop_mode, Crop::center);
    EXPECT_EQ(inner.crop_pct, 1);
    EXPECT_EQ(inner.mean[0], 0.48145466f);

    // Values are not scaled, or scaled differently, before they are normalised.
    const Preprocessing raw = read_image_processor(
        R"({"feature_extractor_type": "ViTFeatureExtractor", "size": 32, "do_rescale": false,
            "image_mean": [127.5, 127.5, 127.5], "image_std": 51})",
        report);
    EXPECT_EQ(raw.input_size, (ImageSize{32, 32}));
    EXPECT_EQ(raw.crop_mode, Crop::squash);
    EXPECT_FLOAT_EQ(raw.mean[1], 0.5f);
    EXPECT_FLOAT_EQ(raw.std[2], 0.2f);

    // For every pair of crop and size, floor(crop / crop_pct) must give the size.
    for (int crop = 1; crop < 600; crop += 7)
        for (int size = crop; size < 700; ++size) {
            const json config{{"image_processor_type", "BitImageProcessor"},
                              {"size", {{"shortest_edge", size}}},
                              {"crop_size", crop}};
            const double pct = read_image_processor(config.dump(), report).crop_pct;
            ASSERT_EQ(std::floor(crop / pct), size) << crop;
        }
}

TEST(Transformers, DecidesTheImageSize) {
    ConvertOptions options;
    options.image_size = ImageSize{24, 12};
    const Converted model = convert(Tampered("clip").checkpoint, options);
    EXPECT_EQ(model.header.config.image_size, (ImageSize{24, 12}));
    EXPECT_EQ(model.header.preprocessing.input_size, (ImageSize{24, 12}));
    EXPECT_THAT(model.header.provenance.notes, Contains(HasSubstr("4x4 to 6x3")));
}

}  // namespace
}  // namespace vit
