#include "engine/model/model_header_json.h"
#include "engine/model/model_tensors.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "support.h"

namespace vit {
namespace {

using test::message_of;
using testing::HasSubstr;
using Json = nlohmann::json;

ModelHeader full_header() {
    ModelHeader header = test::tiny_header();
    header.config.class_token = true;
    header.config.distillation_token = true;
    header.config.register_tokens = 4;
    header.config.no_embed_class = true;
    header.config.norm_eps = 1e-5;
    header.config.activation = Activation::quick_gelu;
    header.config.qkv_bias = false;
    header.config.proj_bias = header.config.fc1_bias = header.config.fc2_bias = false;
    header.config.table_interpolation = TableInterpolation::bilinear_corners;
    header.config.norm = Norm::rms_norm;
    header.config.pre_norm = header.config.patch_norm = header.config.embed_norm =
        header.config.glu = true;
    header.config.patch_bias = false;
    header.config.qk_norm = header.config.scale_attn_norm = header.config.scale_mlp_norm = true;
    header.config.sub_norm_eps = 1e-4;
    header.config.layer_scale = true;
    header.config.final_norm = false;
    header.config.fc_norm = true;
    header.config.representation_size = 6;
    header.config.pos_drop_rate = 0.1;
    header.config.patch_drop_rate = 0.2;
    header.config.proj_drop_rate = 0.3;
    header.config.attn_drop_rate = 0.4;
    header.config.drop_rate = 0.5;
    header.config.drop_path_rate = 0.6;
    header.preprocessing = {{5, 7},
                            0.9,
                            Crop::border,
                            Filter::lanczos,
                            {0.1f, 0.2f, 0.3f},
                            {0.4f, 0.5f, 0.6f},
                            CropRounding::down};
    header.labels = {"cat", "\xf0\x9f\x90\x95 \"dog\"\n"};
    header.self_test = SelfTest{std::numeric_limits<std::uint64_t>::max(), true, "reference", 1e-4};
    header.provenance = {
        "model.safetensors", "abc", "vit-convert 0.1.0", {"dropped x", "took EMA"}};
    return header;
}

TEST(ModelHeaderJson, RoundTrips) {
    for (const ModelHeader& header : {full_header(), test::tiny_header()}) {
        const std::string text = to_json(header);
        const ModelHeader back = model_header_from_json(text, "f");
        EXPECT_EQ(to_json(back), text);
        // Comparing only to_json would miss a field that both directions forget.
        EXPECT_EQ(back.config.architecture, header.config.architecture);
        EXPECT_EQ(back.config.image_size, header.config.image_size);
        EXPECT_EQ(back.config.prefix_tokens(), header.config.prefix_tokens());
        EXPECT_EQ(back.config.drop_path_rate, header.config.drop_path_rate);
        EXPECT_EQ(back.config.norm_eps, header.config.norm_eps);
        EXPECT_EQ(back.config.sub_norm_eps, header.config.sub_norm_eps);
        EXPECT_EQ(back.config.table_interpolation, header.config.table_interpolation);
        EXPECT_EQ(back.config.norm, header.config.norm);
        EXPECT_EQ(back.config.activation, header.config.activation);
        EXPECT_EQ(back.preprocessing.input_size, header.preprocessing.input_size);
        EXPECT_EQ(back.preprocessing.mean, header.preprocessing.mean);
        EXPECT_EQ(back.preprocessing.std, header.preprocessing.std);
        EXPECT_EQ(back.preprocessing.crop_mode, header.preprocessing.crop_mode);
        EXPECT_EQ(back.preprocessing.crop_rounding, header.preprocessing.crop_rounding);
        EXPECT_EQ(back.preprocessing.interpolation, header.preprocessing.interpolation);
        EXPECT_EQ(back.labels, header.labels);
        EXPECT_EQ(back.self_test.has_value(), header.self_test.has_value());
        EXPECT_EQ(back.provenance.notes, header.provenance.notes);
    }
    EXPECT_EQ(model_header_from_json(to_json(full_header()), "f").self_test->seed,
              std::numeric_limits<std::uint64_t>::max());
}

TEST(ModelHeaderJson, KeepsThePrecisionOfWeights) {
    ModelHeader header = test::tiny_header();
    for (const DType dtype : {DType::f32, DType::bf16, DType::i8}) {
        header.dtype = dtype;
        if (dtype == DType::i8) header.float_linears = {"blocks.0.attn.proj", "blocks.0.mlp.fc2"};
        const ModelHeader found = model_header_from_json(to_json(header), "m");
        EXPECT_EQ(found.dtype, dtype);
        EXPECT_EQ(found.float_linears, header.float_linears);
    }
    for (const std::vector<std::string>& wrong : {std::vector<std::string>{"head"},
                                                  {"blocks.0.norm1"},
                                                  {"blocks.9.attn.q"},
                                                  {"blocks.0.mlp.fc2", "blocks.0.attn.q"},
                                                  {"blocks.0.attn.q", "blocks.0.attn.q"}}) {
        header.float_linears = wrong;
        EXPECT_THROW(to_json(header), Error) << testing::PrintToString(wrong);
    }
    header.float_linears.clear();
    std::string text = to_json(header);
    text.replace(text.find("\"int8\""), 6, "\"int4\"");
    EXPECT_THROW(model_header_from_json(text, "m"), Error);
}

TEST(ModelHeaderJson, KeepsTheReportOfInt8) {
    ModelHeader header = test::tiny_header();
    header.dtype = DType::i8;
    QuantizationReport report;
    report.linears = {"blocks.0.attn.q", "blocks.0.attn.k"};
    report.errors = {0.0125, 3e-3};
    report.calibrated_images = 32;
    report.measured_images = 200;
    report.compared = "logits";
    report.mean_cosine = 0.9995;
    report.worst_cosine = -0.25;
    for (const bool classes : {false, true}) {
        if (classes) {
            report.top1_agreement = 0.99;
            report.float_accuracy = 0.81;
            report.int8_accuracy = 0;
        }
        header.quantization = report;
        const QuantizationReport found = *model_header_from_json(to_json(header), "m").quantization;
        EXPECT_EQ(found.linears, report.linears);
        EXPECT_EQ(found.errors, report.errors);
        EXPECT_EQ(found.calibrated_images, 32);
        EXPECT_EQ(found.measured_images, 200);
        EXPECT_EQ(found.compared, "logits");
        EXPECT_EQ(found.mean_cosine, report.mean_cosine);
        EXPECT_EQ(found.worst_cosine, report.worst_cosine);
        EXPECT_EQ(found.top1_agreement, report.top1_agreement);
        EXPECT_EQ(found.float_accuracy, report.float_accuracy);
        EXPECT_EQ(found.int8_accuracy, report.int8_accuracy);
    }
    header.quantization->errors.pop_back();
    EXPECT_THROW(to_json(header), Error);
}

TEST(ModelHeaderJson, KeepsTheImageSizeOfASelfTest) {
    ModelHeader header = full_header();
    const ImageSize patch{header.config.patch_height, header.config.patch_width},
        own = header.config.image_size;
    EXPECT_EQ(to_json(header).find("\"image_size\""), to_json(header).rfind("\"image_size\""));
    header.self_test->stored_input = false;
    header.self_test->image_size = patch;
    EXPECT_EQ(model_header_from_json(to_json(header), "f").self_test->image_size, patch);
    const auto is_refused = [&](ImageSize size, bool stored) {
        header.self_test->image_size = size;
        header.self_test->stored_input = stored;
        try {
            validate(header);
            return false;
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), testing::HasSubstr("self_test.image_size"));
            return true;
        }
    };
    EXPECT_FALSE(is_refused(own, false));
    EXPECT_TRUE(is_refused(patch, true));
    EXPECT_TRUE(is_refused({own.height + 1, own.width}, false));
    EXPECT_TRUE(is_refused({own.height, own.width + 1}, false));
    EXPECT_TRUE(is_refused({patch.height - 1, own.width}, false));
    EXPECT_TRUE(is_refused({-1, own.width}, false));
}

TEST(ModelHeaderJson, ReadsTheDocumentedExample) {
    const std::string page =
        test::read_all(std::filesystem::path(VIT_SOURCE_DIR) / "docs" / "model-file.md");
    const std::size_t begin = page.find("```json\n") + 8, end = page.find("```", begin);
    ASSERT_LT(begin, end);
    const Json example = Json::parse(page.substr(begin, end - begin));
    const ModelHeader header = model_header_from_json(example.dump(), "f");
    EXPECT_EQ(header.config.drop_path_rate, 0.1);
    EXPECT_EQ(Json::parse(to_json(header)), example);  // the example shows every key that we write
}

// In every object, a missing key, a key of the wrong kind and an unknown key are named.
TEST(ModelHeaderJson, EveryKeyIsRequiredOrDefaulted) {
    const Json whole = Json::parse(to_json(full_header()));
    EXPECT_EQ(whole.at("config").size(), 52u);
    const std::set<std::string> may_miss = {
        "config.pos_drop_rate",  "config.patch_drop_rate", "config.proj_drop_rate",
        "config.attn_drop_rate", "config.drop_rate",       "config.drop_path_rate",
        "config.pool_width",     "provenance.source",      "provenance.sha256",
        "provenance.converter",  "provenance.notes"};
    for (const char* part : {"config", "preprocessing", "self_test", "provenance"}) {
        for (const auto& item : whole.at(part).items()) {
            Json changed = whole;
            changed[part].erase(item.key());
            if (may_miss.contains(std::string(part) + "." + item.key())) {
                model_header_from_json(changed.dump(), "f");
            } else {
                EXPECT_THAT(message_of([&] { model_header_from_json(changed.dump(), "f"); },
                                       ErrorKind::model),
                            HasSubstr(fmt::format("'f': metadata 'vit': {}: key '{}' is missing",
                                                  part, item.key())));
            }
            changed = whole;
            changed[part][item.key()] = Json::object();
            EXPECT_THAT(
                message_of([&] { model_header_from_json(changed.dump(), "f"); }, ErrorKind::model),
                HasSubstr(item.key() + ": expected "));
        }
        Json changed = whole;
        changed[part]["surprise"] = 1;
        EXPECT_THAT(
            message_of([&] { model_header_from_json(changed.dump(), "f"); }, ErrorKind::model),
            HasSubstr(fmt::format("{}: unknown key 'surprise'", part)));
    }
    for (const char* key : {"version", "config", "preprocessing"}) {
        Json changed = whole;
        changed.erase(key);
        EXPECT_THAT(
            message_of([&] { model_header_from_json(changed.dump(), "f"); }, ErrorKind::model),
            HasSubstr(fmt::format("key '{}' is missing", key)));
    }
    for (const char* key : {"labels", "self_test", "provenance"}) {
        Json changed = whole;
        changed.erase(key);
        model_header_from_json(changed.dump(), "f");
    }
}

TEST(ModelHeaderJson, RequiresTheTensorsOfEveryKindOfBlock) {
    const auto count = [](const ModelConfig& config, std::string_view part) {
        return std::ranges::count_if(required_tensors(config), [&](const TensorSpec& spec) {
            return spec.name.find(part) != std::string::npos;
        });
    };
    ModelConfig c = test::tiny_header().config;
    c.block = BlockKind::parallel_things;
    c.parallel = 2;
    EXPECT_EQ(count(c, "blocks.0.attns."), 2 * (2 + 8));
    EXPECT_EQ(count(c, "blocks.0.ffns."), 2 * (2 + 4));
    c = test::tiny_header().config;
    c.block = BlockKind::parallel_scaling;
    EXPECT_EQ(count(c, "norm2"), 0);
    c.differential_attention = true;
    EXPECT_THROW(validate(c), Error);  // half of a head of 3
    c.head_dim = 2;
    EXPECT_EQ(count(c, "blocks.0.attn."), 2 * 6 + 2);
    c.pooling = Pooling::map;
    c.pool_heads = 1;
    c.pool_mlp_dim = 3;
    EXPECT_EQ(count(c, "attn_pool."), 1 + 4 * 2 + 2 + 4);
    EXPECT_NO_THROW(validate(c));
    c.glu = true;
    EXPECT_THROW(validate(c), Error);
    c = test::tiny_header().config;
    c.block = BlockKind::res_post_norm;
    EXPECT_NO_THROW(validate(c));
    c.layer_scale = true;
    EXPECT_THROW(validate(c), Error);
}

TEST(ModelHeaderJson, RefusesWrongValues) {
    const Json whole = Json::parse(to_json(full_header()));
    const auto refused = [&](const char* pointer, Json value, const char* message) {
        Json changed = whole;
        changed[Json::json_pointer(pointer)] = std::move(value);
        EXPECT_THAT(
            message_of([&] { model_header_from_json(changed.dump(), "f"); }, ErrorKind::model),
            HasSubstr(message))
            << pointer;
    };
    refused("/version", 1, "expected model file version 2, found 1");
    refused("/version", "2", "version: expected a whole number, found string");
    refused("/surprise", 2, "unknown key 'surprise'");
    refused("/config", Json::array(), "config: expected an object, found array");
    refused(
        "/config/activation", "gleu",
        "activation: expected one of gelu, gelu_tanh, silu, quick_gelu, relu, tanh, found 'gleu'");
    refused("/config/depth", 0, "expected depth from 1 to 1000, found 0");
    refused("/config/depth", 1001, "expected depth from 1 to 1000");
    refused("/config/depth", 1.5, "depth: expected a whole number, found number");
    refused("/config/depth", -1, "expected depth from 1 to 1000, found -1");
    refused("/config/depth", std::numeric_limits<std::uint64_t>::max(),
            "depth: the number is too large");
    refused("/config/embed_dim", 1 << 20, "expected embed_dim from 1 to 65536");
    refused("/config/heads", 65'537, "expected heads from 1 to 65536");
    refused("/config/image_size", {5, 1}, "expected patch width from 1 to 1, found 2");
    refused("/config/pool_include_prefix", true, "pool_include_prefix needs another pooling");
    refused("/config/parallel", 2, "expected parallel from 1 to 1");
    refused("/config/sub_norm_eps", 0, "expected sub_norm_eps above 0");
    refused("/config/norm", "batch_norm", "layer_norm, rms_norm");
    refused("/config/image_size", {4}, "image_size: expected [height, width]");
    refused("/config/patch_height", 8, "expected patch height from 1 to 4");
    refused("/config/norm_eps", 0, "expected norm_eps above 0");
    refused("/config/norm_eps", nullptr, "norm_eps: expected a number, found null");
    refused("/config/drop_path_rate", 1,
            "expected drop_path_rate of at least 0 and below 1, found 1");
    refused("/config/class_token", false, "pooling 'token' reads the class token");
    refused("/config/class_token", 1, "class_token: expected true or false, found number");
    refused("/config/pooling", "avg", "distillation_token needs class_token and pooling 'token'");
    refused("/config/mean_head", true, "mean_head needs pooling 'token' and classes");
    refused("/config/num_classes", 3, "expected 3 labels, one per class, found 2");
    refused("/labels", {1, 2}, "labels: expected a string, found number");
    refused("/labels", "cat", "labels: expected an array of strings");
    refused("/preprocessing/std", {1, 0, 1}, "expected a finite std above 0, found 0");
    refused("/preprocessing/std", {1, 1e-60, 1}, "expected a finite std above 0");
    refused("/preprocessing/mean", {1, 1e60, 1}, "expected a finite mean");
    refused("/preprocessing/mean", {1, 1}, "mean: expected an array of 3 numbers");
    refused("/preprocessing/crop_pct", 0, "expected crop_pct from 0.01 to 10");
    refused("/preprocessing/input_size", {0, 7}, "expected an input_size");
    refused("/preprocessing/crop_mode", "",
            "crop_mode: expected one of center, squash, border, found ''");
    refused("/self_test/tolerance", 0, "expected a self-test tolerance above 0");
    refused("/self_test/seed", -1, "seed: expected a whole number of 0 or more");
}

TEST(ModelHeaderJson, RefusesHeadsThatMultiplyToTooMuch) {
    ModelConfig config = test::tiny_header().config;
    config.heads = config.head_dim = 65'536;
    EXPECT_THAT(message_of([&] { validate(config); }, ErrorKind::model),
                HasSubstr("expected heads * head_dim from 1 to 1048576, found 4294967296"));
}

TEST(ModelHeaderJson, RefusesMalformedText) {
    const auto refused = [&](const std::string& text, const char* message,
                             ErrorKind kind = ErrorKind::format) {
        EXPECT_THAT(message_of([&] { model_header_from_json(text, "f"); }, kind),
                    HasSubstr(message));
    };
    refused("", "malformed JSON");
    refused("{", "malformed JSON");
    refused("{\"a\":01}", "malformed JSON");
    refused("{\"a\": 1e999}", "malformed JSON");
    refused("{\"a\":\n1}", "expected one line of JSON, found a control character");
    refused("{\"a\":1,\"a\":2}", "key 'a' appears twice");
    refused("{\"a\":{\"b\":1,\"b\":2}}", "key 'b' appears twice");
    std::string keys = "{", objects = "[", values = "[";
    for (int i = 0; i < 1001; ++i) keys += fmt::format("\"{}\":0,", i);
    for (int i = 0; i < 101; ++i) objects += "{},";
    for (int i = 0; i < 200'001; ++i) values += "0,";
    refused(keys, "JSON has more than 1000 keys");
    refused(objects, "JSON has more than 100 objects");
    refused(values, "JSON has more than 200000 values");
    refused("[[[[[[[[[[[[[[[[[[[", "JSON nests deeper than 8 levels");
    refused(std::string(5 << 20, ' '), "expected at most 4194304 bytes of JSON, found 5242880");
    refused("[0]", "expected an object, found array", ErrorKind::model);
    refused("null", "expected an object, found null", ErrorKind::model);
    const std::string text = to_json(full_header());
    for (std::size_t length = 0; length < text.size(); ++length)
        message_of([&] { model_header_from_json(text.substr(0, length), "f"); }, ErrorKind::format);
}

TEST(ModelHeaderJson, RefusesToWriteNonsense) {
    ModelHeader header = full_header();
    header.labels[0] = "\xff";
    EXPECT_THAT(message_of([&] { to_json(header); }, ErrorKind::model),
                HasSubstr("labels: expected UTF-8, found '\\xff'"));
    header = full_header();
    header.config.norm_eps = std::numeric_limits<double>::quiet_NaN();
    message_of([&] { to_json(header); }, ErrorKind::model);
    header = full_header();
    header.preprocessing.crop_pct = std::numeric_limits<double>::infinity();
    message_of([&] { to_json(header); }, ErrorKind::model);
    header = full_header();
    header.provenance.notes.assign(1, std::string(5 << 20, 'x'));
    EXPECT_THAT(message_of([&] { to_json(header); }, ErrorKind::model), HasSubstr("shorten them"));
    header = full_header();
    header.provenance.notes.assign(200'001, "");
    EXPECT_THAT(message_of([&] { to_json(header); }, ErrorKind::model),
                HasSubstr("at most 199000 labels and notes"));
    header.provenance.notes.assign(198'998, "");
    EXPECT_EQ(model_header_from_json(to_json(header), "f").provenance.notes.size(), 198'998u);
}

// timm's vit_base_patch16_224 has 86,567,656 parameters. Its names and shapes are public.
TEST(RequiredTensors, ViTBase16) {
    ModelConfig config;
    validate(config);
    std::int64_t parameters = 0;
    std::map<std::string, Shape> shapes;
    for (const TensorSpec& spec : required_tensors(config)) {
        std::int64_t count = 1;
        for (std::int64_t extent : spec.shape) count *= extent;
        parameters += count;
        EXPECT_TRUE(shapes.emplace(spec.name, spec.shape).second) << spec.name;
    }
    EXPECT_EQ(parameters, 86'567'656);
    EXPECT_EQ(shapes.at("pos_embed"), (Shape{197, 768}));
    EXPECT_EQ(shapes.at("blocks.11.mlp.fc1.weight"), (Shape{3072, 768}));
    EXPECT_EQ(shapes.at("patch_embed.weight"), (Shape{768, 3, 16, 16}));
}

TEST(RequiredTensors, FollowTheFlags) {
    const auto names = [](const ModelConfig& config) {
        std::set<std::string> found;
        for (const TensorSpec& spec : required_tensors(config)) found.insert(spec.name);
        return found;
    };
    const ModelConfig full = full_header().config;
    for (const char* name :
         {"dist_token", "reg_token", "blocks.0.ls1", "blocks.0.ls2", "fc_norm.weight",
          "norm_pre.weight", "patch_embed.norm.weight", "blocks.0.mlp.gate.weight",
          "blocks.0.attn.q_norm.weight", "pre_logits.weight", "head_dist.bias"})
        EXPECT_TRUE(names(full).contains(name)) << name;
    for (const char* name :
         {"blocks.0.attn.q.bias", "blocks.0.attn.proj.bias", "blocks.0.mlp.fc1.bias", "norm.weight",
          "fc_norm.bias", "patch_embed.bias"})
        EXPECT_FALSE(names(full).contains(name)) << name;
    ModelConfig headless = test::tiny_header().config;
    headless.num_classes = 0;
    EXPECT_FALSE(names(headless).contains("head.weight"));
    for (const TensorSpec& spec : required_tensors(full)) {
        if (spec.name == "pos_embed") {
            EXPECT_EQ(to_string(spec.shape), "[6, 4]");
        }
    }
}

}  // namespace
}  // namespace vit
