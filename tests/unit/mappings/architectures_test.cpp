// Compares the table of architectures with what timm builds (tools/fixtures/timm_architectures.py).
#include "weights/mappings/timm/architectures.h"
#include "engine/model/model_tensors.h"

#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "engine/base/checked.h"
#include "engine/model/model_file.h"
#include "vit/error.h"
#include "weights/mappings/timm/other_names.h"
#include "weights/mappings/timm/timm_config.h"

namespace vit {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json golden(const char* part = "architectures") {
    std::ifstream file(VIT_TEST_DATA "/mappings/architectures.json");
    return json::parse(file).at(part);
}

template <class T>
using Names = std::map<std::string, T>;

const Names<Activation> activations{{"GELU", Activation::gelu},
                                    {"GELUTanh", Activation::gelu_tanh},
                                    {"QuickGELU", Activation::quick_gelu},
                                    {"SiLU", Activation::silu}};
const Names<Pooling> poolings{
    {"token", Pooling::token}, {"avg", Pooling::avg}, {"map", Pooling::map}};
const Names<BlockKind> blocks{{"Block", BlockKind::sequential},
                              {"ResPostBlock", BlockKind::res_post_norm},
                              {"ParallelScalingBlock", BlockKind::parallel_scaling},
                              {"DiffParallelScalingBlock", BlockKind::parallel_scaling},
                              {"ParallelThingsBlock", BlockKind::parallel_things}};
const Names<Norm> norms{{"layer_norm", Norm::layer_norm}, {"rms_norm", Norm::rms_norm}};

/// Parameters that this engine has minus those that timm has. For differential attention timm
/// stores four lambda vectors of half a head in each block; here they are one number. For a
/// parallel-scaling block timm stores one LayerScale; here there are two.
std::int64_t numbers_beyond_timms(const ModelConfig& c) {
    std::int64_t each = 0;
    if (c.differential_attention) each += 1 - 4 * (c.head_dim / 2);
    if (c.block == BlockKind::parallel_scaling && c.layer_scale) each += c.embed_dim;
    return each * c.depth;
}

TEST(Architectures, HasAllOfTimms) {
    EXPECT_EQ(all_architectures().size(), 179u);
}

TEST(Architectures, AreWhatTimmBuilds) {
    for (const json& timm : golden()) {
        const std::string name = timm.at("name");
        SCOPED_TRACE(name);
        EXPECT_EQ(find_architecture(name).tag, timm.at("tag").get<std::string>());
        const ResolvedModel model = resolve_timm_config({name, {}, {}}, {});
        const ModelConfig& c = model.config;
        EXPECT_EQ(c.architecture, name);
        EXPECT_EQ(json({c.image_size.height, c.image_size.width}), timm.at("image"));
        EXPECT_EQ(json({c.patch_height, c.patch_width}), timm.at("patch"));
        EXPECT_EQ(c.embed_dim, timm.at("embed_dim"));
        EXPECT_EQ(c.depth, timm.at("depth"));
        EXPECT_EQ(c.heads, timm.at("heads"));
        EXPECT_EQ(c.head_dim, timm.at("head_dim"));
        EXPECT_EQ(c.mlp_dim, timm.at("mlp_dim"));
        EXPECT_EQ(c.block, blocks.at(timm.at("block")));
        EXPECT_EQ(c.glu, timm.at("glu"));
        EXPECT_EQ(c.differential_attention, timm.at("differential"));
        EXPECT_EQ(c.patch_bias, timm.at("patch_bias"));
        EXPECT_EQ(c.embed_norm, timm.at("embed_norm"));
        EXPECT_EQ(c.pre_norm, timm.at("pre_norm"));
        EXPECT_EQ(c.qk_norm, timm.at("qk_norm"));
        EXPECT_EQ(c.scale_attn_norm, timm.at("scale_attn_norm"));
        EXPECT_EQ(c.scale_mlp_norm, timm.at("scale_mlp_norm"));
        EXPECT_EQ(c.norm, norms.at(timm.at("norm")));
        EXPECT_EQ(c.norm_eps, timm.at("eps").get<double>());
        EXPECT_EQ(c.activation, activations.at(timm.at("activation")));
        EXPECT_EQ(c.prefix_tokens(), timm.at("prefix_tokens"));
        EXPECT_EQ(c.pooling, poolings.at(timm.at("pooling")));
        EXPECT_EQ(c.pool_include_prefix, timm.at("include_prefix"));
        EXPECT_EQ(c.final_norm, timm.at("final_norm"));
        EXPECT_EQ(c.fc_norm, timm.at("fc_norm"));
        EXPECT_EQ(c.layer_scale, timm.at("layer_scale"));
        EXPECT_EQ(c.qkv_bias, timm.at("qkv_bias"));
        EXPECT_EQ(c.proj_bias, timm.at("proj_bias"));
        if (timm.contains("fc1_bias")) {
            EXPECT_EQ(c.fc1_bias, timm.at("fc1_bias"));
            EXPECT_EQ(c.fc2_bias, timm.at("fc2_bias"));
        }
        EXPECT_EQ(c.num_classes, timm.at("num_classes"));
        EXPECT_EQ(json({c.in_chans, model.preprocessing.input_size.height,
                        model.preprocessing.input_size.width}),
                  timm.at("input_size"));
        EXPECT_EQ(model.preprocessing.crop_pct, timm.at("crop_pct").get<double>());
        const bool squash = model.preprocessing.crop_mode == Crop::squash;
        EXPECT_EQ(squash ? "squash" : "center", timm.at("crop_mode"));
        const bool bilinear = model.preprocessing.interpolation == Filter::bilinear;
        EXPECT_EQ(bilinear ? "bilinear" : "bicubic", timm.at("interpolation"));
        for (std::size_t i = 0; i < 3; ++i) {
            EXPECT_EQ(model.preprocessing.mean[i], timm.at("mean")[i].get<float>());
            EXPECT_EQ(model.preprocessing.std[i], timm.at("std")[i].get<float>());
        }

        std::int64_t parameters = -numbers_beyond_timms(c), table_rows = 0;
        for (const TensorSpec& spec : required_tensors(c)) {
            parameters += static_cast<std::int64_t>(checked::product(spec.shape, spec.name));
            if (spec.name == "pos_embed") table_rows = spec.shape[0];
        }
        EXPECT_EQ(table_rows, timm.at("table_rows"));
        EXPECT_EQ(parameters, timm.at("parameters"));
    }
}

TEST(Architectures, HaveTheirWeightsWhereTimmGetsThem) {
    json ours = json::object(), timms = json::object();
    for (const Architecture& each : all_tags()) ours[each.name][each.tag] = each.weights;
    for (const json& timm : golden()) timms[timm.at("name")] = timm.at("weights");
    EXPECT_EQ(ours, timms);
    EXPECT_EQ(find_architecture("vit_base_patch16_224").weights,
              "timm/vit_base_patch16_224.augreg2_in21k_ft_in1k");
    EXPECT_EQ(find_architecture("vit_base_patch32_clip_quickgelu_224.openai").weights,
              "timm/vit_base_patch32_clip_224.openai");
    EXPECT_EQ(find_architecture("vit_giant_patch14_224").weights, "");
}

TEST(OtherNames, AreAllOfTimms) {
    for (const json& name : golden("other_models"))
        EXPECT_TRUE(find_other_name(name.get<std::string>())) << name;
    for (const Architecture& each : all_architectures()) EXPECT_FALSE(find_other_name(each.name));
    EXPECT_EQ(find_other_name("resnet50.a1_in1k")->family, "resnet");
    EXPECT_FALSE(find_other_name("resnet"));
}

TEST(Architectures, FindsTags) {
    const Architecture tagged = find_architecture("vit_base_patch16_224.augreg_in21k");
    EXPECT_EQ(tagged.name, "vit_base_patch16_224");
    EXPECT_EQ(tagged.tag, "augreg_in21k");
    EXPECT_EQ(tagged.pretrained_cfg.at("num_classes"), 21843);
}

TEST(Architectures, FollowsRenaming) {
    const Architecture found = find_architecture("vit_base_patch16_224_in21k");
    EXPECT_EQ(found.name, "vit_base_patch16_224");
    EXPECT_EQ(found.tag, "augreg_in21k");
}

std::string unknown(const std::string& name) {
    try {
        find_architecture(name);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        return error.what();
    }
    return "";
}

TEST(Architectures, SaysWhatIsNoVisionTransformer) {
    EXPECT_THAT(unknown("resnet50"), testing::AllOf(HasSubstr("'resnet50' is no plain Vision"),
                                                    HasSubstr("resnet.py"), HasSubstr("--list")));
    EXPECT_THAT(unknown("swin_base_patch4_window7_224.ms_in22k"), HasSubstr("swin_transformer.py"));
    EXPECT_THAT(unknown("eva02_base_patch14_224"), HasSubstr("eva.py"));
}

TEST(Architectures, NamesWhatComesClose) {
    EXPECT_THAT(unknown("vit_bas_patch16_224"), HasSubstr("vit_base_patch16_224"));
    EXPECT_THAT(unknown("vit_b16"), HasSubstr("such as vit_base_patch16_224,"));
    EXPECT_THAT(unknown("ViT-B-16"), HasSubstr("such as vit_base_patch16_224,"));
    EXPECT_THAT(unknown("deit_smal_patch16_224"), HasSubstr("such as deit_small_patch16_224,"));
    EXPECT_THAT(unknown("resnet5"), HasSubstr("is one of timm's too"));
    EXPECT_THAT(unknown("vit_b16"), testing::Not(HasSubstr("is one of timm's too")));
    EXPECT_THAT(unknown("no_such_thing"), testing::Not(HasSubstr("is one of timm's too")));
    EXPECT_THAT(unknown(""), HasSubstr("unknown architecture"));
    EXPECT_THAT(unknown("a\nb"), HasSubstr("\\x0a"));
    EXPECT_THAT(unknown(std::string(100000, 'x')), HasSubstr("unknown architecture"));
    EXPECT_THAT(unknown("vit_base_patch16_224.nope"), HasSubstr("augreg2_in21k_ft_in1k"));
    EXPECT_THAT(unknown("vit_base_patch16_224."), HasSubstr("no tag ''"));
}

}  // namespace
}  // namespace vit
