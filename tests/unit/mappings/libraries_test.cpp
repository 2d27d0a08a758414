// Published models of other libraries, which are recognised by the shapes of their tensors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "weights/mappings/common/sincos_table.h"
#include "weights/mappings/facebook/facebook_vit.h"
#include "weights/mappings/google/npz_vit.h"
#include "weights/mappings/open_clip/clip_vit.h"
#include "weights/mappings/open_clip/open_clip_timm.h"
#include "weights/mappings/sources.h"
#include "weights/mappings/torchvision/torchvision_vit.h"

namespace vit {
namespace {

using testing::HasSubstr;

/// A checkpoint with names and shapes only, because resolving a model reads no values.
Checkpoint checkpoint(const std::vector<std::pair<std::string, Shape>>& tensors) {
    Checkpoint out;
    for (const auto& [name, shape] : tensors) out.tensors.push_back({name, DType::f32, shape, {}});
    return out;
}

Checkpoint torchvision(std::int64_t width, std::int64_t depth, std::int64_t patch,
                       std::int64_t patches) {
    std::vector<std::pair<std::string, Shape>> tensors{
        {"conv_proj.weight", {width, 3, patch, patch}},
        {"encoder.pos_embedding", {1, patches + 1, width}},
        {"encoder.layers.encoder_layer_0.mlp.linear_1.weight", {4 * width, width}},
        {"heads.head.weight", {1000, width}}};
    for (std::int64_t i = 0; i < depth; ++i)
        tensors.push_back(
            {"encoder.layers.encoder_layer_" + std::to_string(i) + ".ln_1.weight", {width}});
    return checkpoint(tensors);
}

/// The size that images are resized to before they are cropped.
int resized(const Preprocessing& p) {
    return static_cast<int>(std::floor(static_cast<double>(p.input_size.height) / p.crop_pct));
}

TEST(Torchvision, KnowsItsModelsBySize) {
    struct Known {
        std::string name;
        std::int64_t width, depth, patch, patches, heads;
        int size, resized;
        Filter interpolation;
    };
    const std::vector<Known> all{{"vit_b_16", 768, 12, 16, 196, 12, 224, 256, Filter::bilinear},
                                 {"vit_b_16", 768, 12, 16, 576, 12, 384, 384, Filter::bicubic},
                                 {"vit_b_32", 768, 12, 32, 49, 12, 224, 256, Filter::bilinear},
                                 {"vit_l_16", 1024, 24, 16, 196, 16, 224, 242, Filter::bilinear},
                                 {"vit_l_16", 1024, 24, 16, 1024, 16, 512, 512, Filter::bicubic},
                                 {"vit_l_32", 1024, 24, 32, 49, 16, 224, 256, Filter::bilinear},
                                 {"vit_h_14", 1280, 32, 14, 1369, 16, 518, 518, Filter::bicubic},
                                 {"vit_h_14", 1280, 32, 14, 256, 16, 224, 224, Filter::bicubic}};
    for (const Known& k : all) {
        SCOPED_TRACE(k.name + " " + std::to_string(k.size));
        const Checkpoint c = torchvision(k.width, k.depth, k.patch, k.patches);
        EXPECT_EQ(find_source(c).name, "torchvision");
        const ResolvedModel model = resolve_torchvision(c, {});
        EXPECT_EQ(model.config.architecture, "torchvision." + k.name);
        EXPECT_EQ(model.config.heads, k.heads);
        EXPECT_EQ(model.config.head_dim, k.width / k.heads);
        EXPECT_EQ(model.config.image_size, (ImageSize{k.size, k.size}));
        EXPECT_EQ(resized(model.preprocessing), k.resized);
        EXPECT_EQ(model.preprocessing.interpolation, k.interpolation);
    }
}

TEST(Torchvision, TakesTheNamedWeightsPreprocessing) {
    const Checkpoint c = torchvision(768, 12, 16, 196);
    ConvertOptions options;
    options.arch = std::string("torchvision.vit_b_16:weights=IMAGENET1K_SWAG_LINEAR_V1");
    const ResolvedModel model = resolve_torchvision(c, options);
    EXPECT_EQ(resized(model.preprocessing), 224);
    EXPECT_EQ(model.preprocessing.interpolation, Filter::bicubic);
    options.arch = std::string("torchvision.vit_b_16:weights=DEFAULT");
    EXPECT_THAT(test::message_of([&] { resolve_torchvision(c, options); }, ErrorKind::usage),
                HasSubstr("weights: expected one of IMAGENET1K_V1, IMAGENET1K_SWAG_E2E_V1, "
                          "IMAGENET1K_SWAG_LINEAR_V1, found 'DEFAULT'"));
    options.arch = std::string("torchvision.vit_l_16");
    EXPECT_THAT(test::message_of([&] { resolve_torchvision(c, options); }, ErrorKind::usage),
                HasSubstr("expected torchvision.vit_b_16"));
}

Checkpoint facebook(std::int64_t width, std::int64_t depth) {
    std::vector<std::pair<std::string, Shape>> tensors{
        {"mask_token", {1, width}},
        {"register_tokens", {1, 4, width}},
        {"patch_embed.proj.weight", {width, 3, 14, 14}},
        {"pos_embed", {1, 1370, width}},
        {"blocks.0.attn.qkv.weight", {3 * width, width}},
        {"blocks.0.attn.qkv.bias", {3 * width}},
        {"blocks.0.mlp.fc1.weight", {4 * width, width}},
        {"blocks.0.ls1.gamma", {width}}};
    for (std::int64_t i = 0; i < depth; ++i)
        tensors.push_back({"blocks." + std::to_string(i) + ".norm1.weight", {width}});
    return checkpoint(tensors);
}

TEST(Facebook, KnowsPublishedSizes) {
    for (const auto& [width, depth, heads] : std::vector<std::array<std::int64_t, 3>>{
             {384, 12, 6}, {768, 12, 12}, {1024, 24, 16}, {1280, 32, 16}, {1536, 40, 24}}) {
        const Checkpoint c = facebook(width, depth);
        EXPECT_EQ(find_source(c).name, "Facebook");
        const ResolvedModel model = resolve_facebook(c, {});
        EXPECT_EQ(model.config.heads, heads);
        EXPECT_EQ(model.config.image_size, (ImageSize{518, 518}));
        EXPECT_EQ(model.config.register_tokens, 4);
        EXPECT_EQ(model.config.num_classes, 0);
        EXPECT_EQ(model.config.architecture, "DINOv2");
    }
}

TEST(Facebook, TakesHeadsFromATimmArchitecture) {
    ConvertOptions options;
    options.arch = std::string("vit_small_patch14_reg4_dinov2.lvd142m");
    const ResolvedModel model = resolve_facebook(facebook(384, 12), options);
    EXPECT_EQ(model.config.heads, 6);
    EXPECT_EQ(model.config.architecture, "vit_small_patch14_reg4_dinov2");
}

Checkpoint clip(bool openai) {
    std::vector<std::pair<std::string, Shape>> tensors{
        {"visual.class_embedding", {768}},
        {"visual.conv1.weight", {768, 3, 32, 32}},
        {"visual.positional_embedding", {50, 768}},
        {"visual.proj", {768, 512}},
        {"visual.transformer.resblocks.0.ln_1.weight", {768}},
        {"visual.transformer.resblocks.0.mlp.c_fc.weight", {3072, 768}}};
    if (openai) tensors.push_back({"input_resolution", {}});
    return checkpoint(tensors);
}

TEST(Clip, AsksForTheActivation) {
    EXPECT_EQ(find_source(clip(true)).name, "CLIP");
    const ResolvedModel model = resolve_clip(clip(true), {});
    EXPECT_EQ(model.config.activation, Activation::quick_gelu);
    EXPECT_EQ(model.config.heads, 12);
    EXPECT_EQ(model.config.num_classes, 512);
    EXPECT_EQ(model.config.image_size, (ImageSize{224, 224}));

    EXPECT_THAT(test::message_of([&] { resolve_clip(clip(false), {}); }, ErrorKind::usage),
                HasSubstr("activation is not in the tensors: pass --arch clip.openai"));
    ConvertOptions options;
    options.arch = std::string("clip.openai");
    EXPECT_EQ(resolve_clip(clip(false), options).config.activation, Activation::quick_gelu);
    options.arch = std::string("clip.open_clip");
    EXPECT_EQ(resolve_clip(clip(false), options).config.activation, Activation::gelu);
    options.arch = std::string("clip.open_clip:quick_gelu=true,head_width=96");
    EXPECT_EQ(resolve_clip(clip(false), options).config.activation, Activation::quick_gelu);
    EXPECT_EQ(resolve_clip(clip(false), options).config.heads, 8);
    options.arch = std::string("clip.open_clip:quick_gelu=1");
    EXPECT_THAT(test::message_of([&] { resolve_clip(clip(false), options); }, ErrorKind::usage),
                HasSubstr("quick_gelu: expected true or false"));
}

TEST(Clip, ReadsItsConfigurationStrictly) {
    const auto refused = [](const std::string& json, ErrorKind kind = ErrorKind::model) {
        Checkpoint c = clip(false);
        c.open_clip_json = json;
        return test::message_of([&] { resolve_clip(c, {}); }, kind);
    };
    EXPECT_THAT(refused("{", ErrorKind::format), HasSubstr("open_clip_config.json"));
    EXPECT_THAT(refused("[]", ErrorKind::format), HasSubstr("expected an object"));
    EXPECT_THAT(refused(R"({"other": 1})"), HasSubstr("'other': unknown key"));
    EXPECT_THAT(refused(R"({"model_cfg": {"vision_cfg": {"depth": 1}}})"),
                HasSubstr("model_cfg.vision_cfg.depth: unknown key"));
    EXPECT_THAT(refused(R"({"model_cfg": {"vision_cfg": {"width": 64}}})"),
                HasSubstr("width is 64, but the tensors have 768"));
    EXPECT_THAT(refused(R"({"model_cfg": {"vision_cfg": {"attentional_pool": "parallel"}}})"),
                HasSubstr("attentional_pool"));
    EXPECT_THAT(refused(R"({"model_cfg": {"vision_cfg": {"attentional_pool": true}}})"),
                HasSubstr("tensor 'visual.attn_pool.query' is missing"));
    EXPECT_THAT(
        refused(R"({"model_cfg": {"vision_cfg": {"attentional_pool": true, "pool_type": "avg"}}})"),
        HasSubstr("attentional_pool: true is supported with pool_type 'tok'"));
    EXPECT_THAT(refused(R"({"model_cfg": {"vision_cfg": {"timm_model_name": "x"}}})"),
                HasSubstr("timm_model_name"));
    EXPECT_THAT(refused(R"({"model_cfg": {"vision_cfg": {"layers": [3, 4, 6, 3]}}})"),
                HasSubstr("a ResNet"));
    EXPECT_THAT(refused(R"({"model_cfg": {"vision_cfg": {"head_width": 100}}})"),
                HasSubstr("expected a divisor of 768, found 100"));
    EXPECT_THAT(refused(R"({"preprocess_cfg": {"resize_mode": "longest"}})"),
                HasSubstr("'longest', which pads with a colour"));
}

TEST(Facebook, NamesItsBackbonesByArch) {
    Checkpoint c = facebook(384, 12);
    std::erase_if(c.tensors, [](const TensorView& t) {
        return t.name == "mask_token" || t.name == "register_tokens";
    });
    EXPECT_EQ(find_source(c).name, "timm");
    EXPECT_EQ(find_source(c, "facebook.VisionTransformer:heads=6").name, "Facebook");
    EXPECT_EQ(find_source(clip(true), "facebook.VisionTransformer:heads=6").name, "CLIP");
}

/// The tensors of SigLIP's and SigLIP 2's ViT-B-16, as in open_clip.
Checkpoint siglip(const std::string& config) {
    Checkpoint c = checkpoint({{"visual.trunk.patch_embed.proj.weight", {768, 3, 16, 16}},
                               {"visual.trunk.pos_embed", {1, 196, 768}},
                               {"visual.trunk.attn_pool.latent", {1, 1, 768}},
                               {"logit_bias", {}}});
    c.open_clip_json = config;
    return c;
}

std::string siglip_config(const std::string& more = "") {
    return R"({"model_cfg": {"embed_dim": 768, "init_logit_bias": -10, "custom_text": true,
        "vision_cfg": {"image_size": 224, "timm_model_name": "vit_base_patch16_siglip_224",
        "timm_model_pretrained": false, "timm_pool": "map", "timm_proj": "none")" +
           more + R"(}, "text_cfg": {"context_length": 64}},
        "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5],
        "interpolation": "bicubic", "resize_mode": "squash"}})";
}

TEST(OpenClipTimm, ReadsSigLips) {
    Checkpoint c = siglip(siglip_config());
    c.tensors.push_back(
        {"text.transformer.embeddings.word_embeddings.weight", DType::f32, {1}, {}});
    EXPECT_EQ(find_source(c).name, "open_clip");
    const ResolvedModel model = resolve_open_clip_timm(c, {});
    EXPECT_EQ(model.config.architecture, "vit_base_patch16_siglip_224");
    EXPECT_EQ(model.config.pooling, Pooling::map);
    EXPECT_EQ(model.config.num_classes, 0);
    EXPECT_FALSE(model.config.class_token);
    EXPECT_EQ(model.config.image_size, (ImageSize{224, 224}));
    EXPECT_EQ(model.preprocessing.crop_mode, Crop::squash);
    EXPECT_EQ(model.preprocessing.mean[0], 0.5f);
    EXPECT_EQ(model.keys.size(), 13u);

    c.open_clip_json.reset();
    EXPECT_THAT(test::message_of([&] { resolve_open_clip_timm(c, {}); }, ErrorKind::usage),
                HasSubstr("put open_clip_config.json beside the weights, or pass --arch with "
                          "timm's name"));
    ConvertOptions options;
    options.arch.emplace("vit_base_patch16_siglip_224.v2_webli");
    const ResolvedModel by_name = resolve_open_clip_timm(c, options);
    EXPECT_EQ(by_name.config.pooling, Pooling::map);
    EXPECT_EQ(by_name.config.num_classes, 0);
}

TEST(OpenClipTimm, RefusesWhatItDoesNotKnow) {
    const auto refused = [](const Checkpoint& c) {
        return test::message_of([&] { resolve_open_clip_timm(c, {}); }, ErrorKind::model);
    };
    EXPECT_THAT(refused(siglip(R"({"model_cfg": {"vision_cfg": {"width": 768}}})")),
                HasSubstr("timm_model_name is missing"));
    EXPECT_THAT(
        refused(siglip(R"({"model_cfg": {"vision_cfg": {"timm_model_name": "convnext_base"}}})")),
        HasSubstr("timm_model_name: 'convnext_base' is no plain Vision Transformer"));
    EXPECT_THAT(refused(siglip(siglip_config(R"(, "attentional_pool": "cascade")"))),
                HasSubstr("attentional_pool"));
    std::string wrong = siglip_config();
    wrong.replace(wrong.find("768"), 3, "512");
    EXPECT_THAT(refused(siglip(wrong)), HasSubstr("embed_dim is 512"));
    Checkpoint projected = siglip(siglip_config());
    projected.tensors.push_back({"visual.head.proj.weight", DType::f32, {768, 768}, {}});
    EXPECT_THAT(refused(projected), HasSubstr("timm_proj: expected 'linear'"));
    projected.tensors.back().name = "visual.head.mlp.fc1.weight";
    EXPECT_THAT(refused(projected), HasSubstr("a projection by an MLP"));

    const Checkpoint swin =
        checkpoint({{"visual.trunk.patch_embed.proj.weight", {1}},
                    {"visual.trunk.layers.0.blocks.0.attn.relative_position_bias_table", {1}}});
    EXPECT_EQ(find_source(swin).name, "timm");  // timm's mapping then reports what it is
}

TEST(Npz, TakesTheRestFromTheNamedArchitecture) {
    const std::string block = "params/img/Transformer/encoderblock/";
    const Checkpoint c = checkpoint(
        {{"params/img/embedding/kernel", {16, 16, 3, 1152}},
         {"params/img/pos_embedding", {1, 256, 1152}},
         {block + "LayerNorm_0/scale", {27, 1152}},
         {block + "MultiHeadDotProductAttention_0/query/kernel", {27, 1152, 16, 72}},
         {block + "MlpBlock_0/Dense_0/kernel", {27, 1152, 4304}},
         {"params/img/MAPHead_0/probe", {1, 1, 1152}},
         {"params/img/MAPHead_0/MultiHeadDotProductAttention_0/query/kernel", {1152, 16, 72}},
         {"params/img/MAPHead_0/MlpBlock_0/Dense_0/kernel", {1152, 4304}}});
    EXPECT_EQ(find_source(c).name, "Google");
    ConvertOptions options;
    EXPECT_EQ(resolve_npz_vit(c, options).config.activation, Activation::gelu);
    options.arch = std::string("vit_so400m_patch16_siglip_256");
    const ModelConfig config = resolve_npz_vit(c, options).config;
    EXPECT_EQ(config.activation, Activation::gelu_tanh);
    EXPECT_EQ(config.depth, 27);
    EXPECT_EQ(config.heads, 16);
    EXPECT_EQ(config.mlp_dim, 4304);
    EXPECT_EQ(config.pooling, Pooling::map);
    EXPECT_EQ(config.pool_heads, 16);
    EXPECT_EQ(config.num_classes, 0);
    EXPECT_EQ(config.image_size, (ImageSize{256, 256}));
}

TEST(SincosTable, RefusesWidthsWithoutFourParts) {
    EXPECT_THAT(test::message_of(
                    [] {
                        sincos_table({2, 2}, 18);
                    },
                    ErrorKind::model),
                HasSubstr("a multiple of 4 above 4, found 18"));
    EXPECT_EQ(sincos_table({2, 3}, 8).size(), 48u);
}

}  // namespace
}  // namespace vit
