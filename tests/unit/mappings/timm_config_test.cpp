#include "weights/mappings/timm/timm_config.h"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "vit/error.h"

namespace vit {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

json plain() {
    return json::parse(R"({
        "architecture": "vit_tiny_patch16_224", "num_classes": 3, "num_features": 192,
        "global_pool": "token", "model_args": {"img_size": 32, "patch_size": [8, 16]},
        "pretrained_cfg": {"input_size": [3, 32, 32], "fixed_input_size": true}})");
}

ResolvedModel resolve(const json& config) {
    return resolve_timm_config({{}, {}, config.dump()}, {});
}

std::string refused(const std::string& text, ErrorKind kind = ErrorKind::model) {
    try {
        resolve_timm_config({{}, {}, text}, {});
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), kind) << error.what();
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
        return error.what();
    }
    return "accepted";
}

std::string refused_args(const json& args) {
    json config = plain();
    config["model_args"].update(args);
    return refused(config.dump());
}

std::string refused_cfg(const json& cfg) {
    json config = plain();
    config["pretrained_cfg"].update(cfg);
    return refused(config.dump());
}

const ReportLine& line(const ResolvedModel& model, const std::string& key) {
    for (const ReportLine& found : model.keys)
        if (found.name == key) return found;
    throw std::runtime_error("no line for " + key);
}

TEST(TimmConfig, TakesExplicitNumbers) {
    json config = plain();
    config["model_args"].update(json::parse(R"({"embed_dim": 96, "depth": 4, "num_heads": 6,
        "mlp_ratio": 2.63, "act_layer": "quick_gelu", "reg_tokens": 2, "no_embed_class": true,
        "qkv_bias": false, "proj_bias": false, "init_values": 1e-5, "drop_path_rate": 0.1})"));
    config["num_features"] = 96;
    const ModelConfig c = resolve(config).config;
    EXPECT_EQ(c.image_size, (ImageSize{32, 32}));
    EXPECT_EQ(c.patch_height, 8);
    EXPECT_EQ(c.patch_width, 16);
    EXPECT_EQ(c.embed_dim, 96);
    EXPECT_EQ(c.depth, 4);
    EXPECT_EQ(c.heads, 6);
    EXPECT_EQ(c.head_dim, 16);
    EXPECT_EQ(c.mlp_dim, 252);  // int(96 * 2.63)
    EXPECT_EQ(c.activation, Activation::quick_gelu);
    EXPECT_EQ(c.register_tokens, 2);
    EXPECT_TRUE(c.no_embed_class);
    EXPECT_FALSE(c.qkv_bias);
    EXPECT_FALSE(c.proj_bias);
    EXPECT_TRUE(c.layer_scale);
    EXPECT_EQ(c.drop_path_rate, 0.1);
    EXPECT_EQ(c.num_classes, 3);
}

TEST(TimmConfig, HasTimmsDefaultsForWhatPretrainedCfgLeavesOut) {
    // The architecture's tag gives no values here: timm uses the file's configuration alone.
    const ResolvedModel model =
        resolve(json::parse(R"({"architecture": "vit_tiny_patch16_224", "pretrained_cfg": {}})"));
    EXPECT_EQ(model.preprocessing.crop_pct, 0.875);
    EXPECT_EQ(model.preprocessing.interpolation, Filter::bicubic);
    EXPECT_EQ(model.preprocessing.crop_mode, Crop::center);
    EXPECT_THAT(model.preprocessing.mean, ElementsAre(0.485f, 0.456f, 0.406f));
    EXPECT_THAT(model.preprocessing.std, ElementsAre(0.229f, 0.224f, 0.225f));
    EXPECT_EQ(model.config.num_classes, 1000);
    EXPECT_EQ(model.config.image_size, (ImageSize{224, 224}));
    EXPECT_TRUE(model.labels.empty());
}

TEST(TimmConfig, ReadsPreprocessing) {
    json config = plain();
    config["pretrained_cfg"].update(json::parse(R"({"crop_pct": 0.95, "crop_mode": "border",
        "interpolation": "lanczos", "mean": [0.1, 0.2, 0.3], "std": [0.4]})"));
    const Preprocessing p = resolve(config).preprocessing;
    EXPECT_EQ(p.crop_pct, 0.95);
    EXPECT_EQ(p.crop_mode, Crop::border);
    EXPECT_EQ(p.interpolation, Filter::lanczos);
    EXPECT_THAT(p.mean, ElementsAre(0.1f, 0.2f, 0.3f));
    EXPECT_THAT(p.std, ElementsAre(0.4f, 0.4f, 0.4f));
    EXPECT_EQ(p.input_size, (ImageSize{32, 32}));
}

TEST(TimmConfig, ReadsTheOlderFlatForm) {
    std::ifstream file(VIT_TEST_DATA "/timm/flat_config/config.json");
    std::stringstream text;
    text << file.rdbuf();
    const ResolvedModel model = resolve_timm_config({{}, {}, text.str()}, {});
    EXPECT_EQ(model.config.architecture, "vit_tiny_patch16_224");
    EXPECT_EQ(model.config.num_classes, 7);
    EXPECT_EQ(model.preprocessing.crop_pct, 0.9);
    ASSERT_EQ(model.labels.size(), 7u);
    EXPECT_EQ(model.labels[6], "class 6");
    EXPECT_TRUE(line(model, "labels").used);
    EXPECT_FALSE(line(model, "license").used);
}

TEST(TimmConfig, NullMeansWhatItMeansToTimm) {
    json config = plain();
    config["architecture"] = "deit3_small_patch16_224";  // has init_values
    config["num_features"] = 384;
    config["model_args"]["init_values"] = nullptr;
    config["model_args"]["fc_norm"] = nullptr;
    config["pretrained_cfg"]["crop_pct"] = nullptr;
    const ResolvedModel model = resolve(config);
    EXPECT_FALSE(model.config.layer_scale);
    EXPECT_FALSE(model.config.fc_norm);
    EXPECT_EQ(model.preprocessing.crop_pct, 0.875);
    EXPECT_THAT(refused_args({{"depth", nullptr}}), HasSubstr("model_args.depth"));
}

TEST(TimmConfig, NamesUnknownKeys) {
    json config = plain();
    config["num_clases"] = 3;
    EXPECT_THAT(refused(config.dump()), HasSubstr("'num_clases'"));
    EXPECT_THAT(refused_args({{"embed_dims", 96}}), HasSubstr("model_args.embed_dims"));
    EXPECT_THAT(refused_args({{"norm_eps", 1e-5}}), HasSubstr("model_args.norm_eps"));
    EXPECT_THAT(refused_cfg({{"crop_percent", 1}}), HasSubstr("pretrained_cfg.crop_percent"));
    EXPECT_THAT(refused(R"({"architecture": "vit_tiny_patch16_224", "new": 1})"), HasSubstr("new"));
}

TEST(TimmConfig, NamesKeysOfTheWrongType) {
    EXPECT_THAT(
        refused_args({{"depth", "twelve"}}),
        AllOf(HasSubstr("model_args.depth"), HasSubstr("whole number"), HasSubstr("twelve")));
    EXPECT_THAT(refused_args({{"depth", 1.5}}), HasSubstr("whole number"));
    EXPECT_THAT(refused_args({{"depth", 1e300}}), HasSubstr("whole number"));
    EXPECT_THAT(refused_args({{"qkv_bias", "yes"}}), HasSubstr("true or false"));
    EXPECT_THAT(refused_args({{"patch_size", {1, 2, 3}}}), HasSubstr("[height, width]"));
    EXPECT_THAT(refused_args({{"act_layer", 3}}), HasSubstr("a text"));
    EXPECT_THAT(refused_cfg({{"input_size", {32, 32}}}), HasSubstr("[channels, height, width]"));
    EXPECT_THAT(refused_cfg({{"mean", {0.5, 0.5}}}), HasSubstr("mean"));
    EXPECT_THAT(refused_cfg({{"mean", {"a", "b", "c"}}}), HasSubstr("mean[0]"));
    EXPECT_THAT(refused_cfg({{"crop_mode", "top"}}), HasSubstr("'squash'"));
    EXPECT_THAT(refused_cfg({{"interpolation", "random"}}), HasSubstr("'bicubic'"));
    json config = plain();
    config["model_args"] = 3;
    EXPECT_THAT(refused(config.dump()), HasSubstr("model_args"));
    config = plain();
    config["architecture"] = 3;
    EXPECT_THAT(refused(config.dump()), HasSubstr("architecture"));
}

TEST(TimmConfig, NamesFeaturesThatAreNotSupported) {
    const std::vector<std::pair<json, std::string>> cases{
        {{{"global_pool", "prr"}}, "'prr'"},
        {{{"global_pool", ""}}, "pooling ''"},
        {{{"norm_layer", "batchnorm2d"}}, "norm layer 'batchnorm2d'"},
        {{{"embed_norm_layer", "simplenorm"}}, "norm layer 'simplenorm'"},
        {{{"embed_norm_layer", "rmsnorm"}}, "embed_norm_layer"},
        {{{"mlp_layer", "GluMlp"}}, "MLP type 'GluMlp'"},
        {{{"block_fn", "MoEBlock"}}, "block type 'MoEBlock'"},
        {{{"attn_layer", "rope"}}, "attention type 'rope'"},
        {{{"act_layer", "mish"}}, "activation 'mish'"},
        {{{"embed_layer", "HybridEmbed"}}, "patch embedding 'HybridEmbed'"},
        {{{"use_naflex", true}}, "NaFlexViT"},
        {{{"features_only", true}}, "features_only"},
    };
    for (const auto& [args, name] : cases) {
        EXPECT_THAT(refused_args(args), AllOf(HasSubstr(name), HasSubstr("not supported"))) << args;
    }
    // These keys with their plain values are accepted.
    json config = plain();
    config["model_args"].update(
        json::parse(R"({"pre_norm": false, "qk_norm": false, "attn_layer": "",
        "norm_layer": "LayerNorm", "act_layer": "gelu", "pos_embed": "learn",
        "embed_norm_layer": null, "mlp_layer": null, "pool_include_prefix": true})"));
    EXPECT_NO_THROW(resolve(config));
}

TEST(TimmConfig, TakesEveryPartOfABlock) {
    const auto numbers = [](const char* args) {
        json config = plain();
        config["model_args"].update(json::parse(args));
        config.erase("global_pool");
        return resolve(config).config;
    };
    ModelConfig c = numbers(R"({"norm_layer": "rmsnorm", "embed_norm_layer": "RmsNorm",
        "mlp_layer": "SwiGLU", "qk_norm": true, "scale_attn_norm": true, "scale_mlp_norm": true,
        "pre_norm": true, "pos_embed": "none"})");
    EXPECT_EQ(c.norm, Norm::rms_norm);
    EXPECT_TRUE(c.embed_norm && c.glu && c.qk_norm && c.scale_attn_norm && c.scale_mlp_norm);
    EXPECT_TRUE(c.pre_norm && !c.patch_bias && !c.position_table);
    EXPECT_EQ(c.mlp_dim, 768);
    c = numbers(R"({"mlp_layer": "SwiGLUPacked", "global_pool": "avgmax", "reg_tokens": 1,
        "pool_include_prefix": true, "proj_bias": false})");
    EXPECT_TRUE(c.glu && c.fc_norm && !c.final_norm && c.pool_include_prefix);
    EXPECT_TRUE(!c.proj_bias && !c.fc1_bias && !c.fc2_bias);
    EXPECT_EQ(c.mlp_dim, 384);
    EXPECT_EQ(c.pooling, Pooling::avgmax);
    c = numbers(R"({"global_pool": "map", "mlp_ratio": 2, "fc_norm": true})");
    EXPECT_EQ(c.pool_heads, 3);
    EXPECT_EQ(c.pool_mlp_dim, 384);
    EXPECT_TRUE(c.fc_norm);
    // In timm's parallel blocks there is a LayerScale even if it begins at 0, and no GLU.
    c = numbers(R"({"block_fn": "DiffParallelScalingBlock", "init_values": 0, "qkv_bias": false,
        "mlp_layer": "SwiGLU"})");
    EXPECT_EQ(c.block, BlockKind::parallel_scaling);
    EXPECT_TRUE(c.differential_attention && c.layer_scale && !c.glu);
    EXPECT_TRUE(c.fc1_bias && c.proj_bias && !c.fc2_bias && !c.qkv_bias);
    c = numbers(R"({"block_fn": "ParallelScalingBlock", "attn_layer": "diff"})");
    EXPECT_TRUE(!c.differential_attention && !c.layer_scale && c.fc2_bias);
    c = numbers(R"({"block_fn": "ParallelThingsBlock", "attn_layer": "diff", "init_values": 0})");
    EXPECT_EQ(c.block, BlockKind::parallel_things);
    EXPECT_EQ(c.parallel, 2);
    EXPECT_TRUE(c.differential_attention && !c.layer_scale);
    c = numbers(R"({"block_fn": "ResPostBlock", "init_values": 1})");
    EXPECT_EQ(c.block, BlockKind::res_post_norm);
    EXPECT_FALSE(c.layer_scale);
}

TEST(TimmConfig, RefusesNumbersThatContradict) {
    EXPECT_THAT(refused_args({{"num_heads", 5}}),
                AllOf(HasSubstr("num_heads"), HasSubstr("192"), HasSubstr("5")));
    EXPECT_THAT(refused_args({{"num_heads", 0}}), HasSubstr("num_heads"));
    EXPECT_THAT(refused_args({{"depth", -1}}), HasSubstr("depth"));
    EXPECT_THAT(refused_args({{"class_token", false}}), HasSubstr("class_token"));
    EXPECT_THAT(refused_args({{"num_classes", 4}}), HasSubstr("num_classes"));
    EXPECT_THAT(refused_args({{"mlp_ratio", 0}}), HasSubstr("mlp_ratio"));
    EXPECT_THAT(refused_args({{"mlp_ratio", 0.0053}, {"mlp_layer", "SwiGLUPacked"}}),
                AllOf(HasSubstr("mlp_ratio"), HasSubstr("even")));
    EXPECT_THAT(refused_args({{"num_heads", 64}, {"attn_layer", "diff"}}), HasSubstr("num_heads"));
    EXPECT_THAT(refused_args({{"scale_mlp_norm", true}, {"block_fn", "ParallelScalingBlock"}}),
                HasSubstr("scale_mlp_norm"));
    EXPECT_THAT(refused_args({{"pos_embed", "rope"}}), HasSubstr("pos_embed"));
    EXPECT_THAT(refused_args({{"global_pool", "avg"}}), HasSubstr("global_pool"));
    EXPECT_THAT(refused_args({{"embed_dim", 96}}), HasSubstr("num_features"));
    EXPECT_THAT(refused_cfg({{"first_conv", "conv1"}}), HasSubstr("first_conv"));
    EXPECT_THAT(refused_cfg({{"classifier", "fc"}}), HasSubstr("classifier"));
    json config = plain();
    config["architecture"] = "deit_tiny_distilled_patch16_224";
    config["model_args"]["reg_tokens"] = 1;
    EXPECT_THAT(refused(config.dump()), HasSubstr("distilled"));
}

TEST(TimmConfig, RefusesMalformedJson) {
    EXPECT_THAT(refused("{", ErrorKind::format), HasSubstr("not valid JSON"));
    EXPECT_THAT(refused("", ErrorKind::format), HasSubstr("not valid JSON"));
    EXPECT_THAT(refused("[]", ErrorKind::format), HasSubstr("expected an object"));
    EXPECT_THAT(refused(R"({"num_classes": 1e999})", ErrorKind::format), HasSubstr("config.json"));
    EXPECT_THAT(refused(std::string(100000, '['), ErrorKind::format),
                HasSubstr("nested more than"));
    EXPECT_THAT(refused("{\"architecture\": \"vit\xff\"}", ErrorKind::format), HasSubstr("JSON"));
    EXPECT_THAT(refused("{\"architecture\": \"vit\\n\"}"), HasSubstr("unknown architecture"));
    EXPECT_THAT(refused(R"({"pretrained_cfg": {}})"), HasSubstr("--arch"));
}

TEST(TimmConfig, WantsOneArchitectureOfAllSources) {
    const auto kind_of = [](const ConfigSources& sources) {
        try {
            resolve_timm_config(sources, {});
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr("vit_small_patch16_224"));
            return error.kind();
        }
        return ErrorKind::internal;
    };
    const std::string tiny = "vit_tiny_patch16_224", other = "vit_small_patch16_224";
    EXPECT_EQ(kind_of({other, {}, plain().dump()}), ErrorKind::usage);
    EXPECT_EQ(kind_of({other, tiny, {}}), ErrorKind::usage);
    EXPECT_EQ(kind_of({{}, other, plain().dump()}), ErrorKind::model);
    EXPECT_NO_THROW(resolve_timm_config({tiny + ".augreg_in21k", tiny, plain().dump()}, {}));
}

TEST(TimmConfig, WithoutConfigJsonTensorsCorrectTheTag) {
    const ConfigSources sources{"vit_tiny_patch16_224", {}, {}};
    TensorFacts facts;
    facts.num_classes = 12;
    facts.in_chans = 1;
    const ResolvedModel model = resolve_timm_config(sources, facts);
    EXPECT_EQ(model.config.num_classes, 12);
    EXPECT_EQ(model.config.in_chans, 1);
    EXPECT_EQ(model.preprocessing.crop_pct, 0.9);
    EXPECT_THAT(model.notes, testing::Contains(HasSubstr("12 classes")));
    // With a config.json the tensors correct nothing; the mapping compares the two.
    EXPECT_EQ(resolve_timm_config({{}, {}, plain().dump()}, facts).config.num_classes, 3);
}

TEST(TimmConfig, ReadsLabels) {
    json config = plain();
    config["label_names"] = {"a", "b", "c"};
    EXPECT_THAT(resolve(config).labels, ElementsAre("a", "b", "c"));
    config["label_names"] = {{"0", "a"}, {"2", "c"}};
    EXPECT_THAT(resolve(config).labels, ElementsAre("a", "1", "c"));
    config["label_names"] = {"a", "b"};
    EXPECT_THAT(refused(config.dump()),
                AllOf(HasSubstr("label_names"), HasSubstr("3"), HasSubstr("2")));
    config["label_names"] = {{"3", "d"}};
    EXPECT_THAT(refused(config.dump()), HasSubstr("'3'"));
    config["label_names"] = {{"x", "d"}};
    EXPECT_THAT(refused(config.dump()), HasSubstr("'x'"));
    config["label_names"] = {1.5, 2.5, 3.5};
    EXPECT_THAT(refused(config.dump()), HasSubstr("label_names"));
}

TEST(TimmConfig, ReportsEveryKey) {
    json config = plain();
    config["license"] = "mit";
    config["model_args"]["weight_init"] = "jax";
    config["pretrained_cfg"]["test_input_size"] = {3, 64, 64};
    const ResolvedModel model = resolve(config);
    EXPECT_EQ(model.keys.size(), 4u + 1 + 3 + 3);
    EXPECT_TRUE(line(model, "model_args.img_size").used);
    for (const char* key :
         {"license", "model_args.weight_init", "pretrained_cfg.test_input_size"}) {
        EXPECT_FALSE(line(model, key).used) << key;
        EXPECT_FALSE(line(model, key).text.empty()) << key;
    }
}

}  // namespace
}  // namespace vit
