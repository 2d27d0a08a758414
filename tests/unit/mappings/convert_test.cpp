// Tests the requirements on a checkpoint's tensors. tests/golden compares the resulting numbers
// with timm's.
#include "weights/mappings/convert.h"
#include "engine/model/model_tensors.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "engine/model/position_table.h"
#include "vit/error.h"

namespace vit {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

/// A checkpoint whose tensors a test can change.
class Tampered {
  public:
    explicit Tampered(const std::string& name)
        : checkpoint(read_checkpoint(std::string(VIT_TEST_DATA) + "/timm/" + name)) {}

    TensorView& tensor(const std::string& name) {
        for (TensorView& t : checkpoint.tensors)
            if (t.name == name) return t;
        throw std::runtime_error("no tensor " + name);
    }
    void remove(const std::string& name) {
        std::erase_if(checkpoint.tensors, [&](const TensorView& t) { return t.name == name; });
    }
    void add(const std::string& name, Shape shape, std::vector<float> values) {
        owned_.push_back(std::make_unique<std::vector<float>>(std::move(values)));
        checkpoint.tensors.push_back(
            {name, DType::f32, std::move(shape), std::as_bytes(std::span(*owned_.back()))});
    }
    void zeros(const std::string& name, Shape shape) {
        std::int64_t count = 1;
        for (const std::int64_t n : shape) count *= n;
        add(name, std::move(shape), std::vector<float>(static_cast<std::size_t>(count)));
    }
    void poison(const std::string& name, std::size_t at, float value) {
        const TensorView old = tensor(name);
        std::vector<float> values = to_f32(old);
        values[at] = value;
        remove(name);
        add(name, old.shape, std::move(values));
    }
    void configure(const std::function<void(json&)>& change) {
        json config = json::parse(*checkpoint.config_json);
        change(config);
        checkpoint.config_json = config.dump();
    }
    std::string refused(ErrorKind kind = ErrorKind::model, const ConvertOptions& options = {}) {
        try {
            convert(checkpoint, options);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), kind) << error.what();
            const std::string text = error.what();
            EXPECT_EQ(text.find('\n'), std::string::npos);
            // The message names the weights, or a configuration file beside them.
            EXPECT_THAT(text, HasSubstr(checkpoint.path.parent_path().string()));
            return text;
        }
        return "accepted";
    }

    Checkpoint checkpoint;

  private:
    std::vector<std::unique_ptr<std::vector<float>>> owned_;
};

std::string message_of_convert(const Checkpoint& checkpoint) {
    try {
        convert(checkpoint);
    } catch (const Error& error) {
        return error.what();
    }
    return "accepted";
}

std::vector<float> values_of(const Converted& model, const std::string& name) {
    for (const TensorView& t : model.tensors)
        if (t.name == name) return to_f32(t);
    throw std::runtime_error("no tensor " + name);
}

TEST(Convert, UsesEveryTensor) {
    Tampered t("token");
    const Converted model = convert(t.checkpoint);
    EXPECT_EQ(model.tensor_report.size(), t.checkpoint.tensors.size());
    for (const ReportLine& line : model.tensor_report) EXPECT_TRUE(line.used) << line.name;
    const std::vector<TensorSpec> specs = required_tensors(model.header.config);
    ASSERT_EQ(model.tensors.size(), specs.size());
    for (std::size_t i = 0; i < specs.size(); ++i) {
        EXPECT_EQ(model.tensors[i].name, specs[i].name);
        EXPECT_EQ(model.tensors[i].shape, specs[i].shape);
        EXPECT_EQ(model.tensors[i].dtype, DType::f32);
    }
    EXPECT_TRUE(model.owned.empty());  // float32 is used in place
    const ModelConfig& c = model.header.config;
    EXPECT_EQ(c.pos_drop_rate, 0.1);
    EXPECT_EQ(c.patch_drop_rate, 0.25);
    EXPECT_EQ(c.drop_path_rate, 0.2);
}

TEST(Convert, SplitsQkvByRows) {
    Tampered t("token");
    const std::vector<float> qkv = to_f32(t.tensor("blocks.1.attn.qkv.weight"));
    const Converted model = convert(t.checkpoint);
    const std::size_t third = qkv.size() / 3;
    for (std::size_t part = 0; part < 3; ++part) {
        const std::string name = std::string("blocks.1.attn.") + "qkv"[part] + ".weight";
        const std::vector<float> expected(
            qkv.begin() + static_cast<std::ptrdiff_t>(part * third),
            qkv.begin() + static_cast<std::ptrdiff_t>((part + 1) * third));
        EXPECT_EQ(values_of(model, name), expected) << name;
    }
}

TEST(Convert, NamesExtraTensors) {
    Tampered t("token");
    t.zeros("blocks.0.attn.extra", {3});
    EXPECT_THAT(t.refused(), AllOf(HasSubstr("'blocks.0.attn.extra'"), HasSubstr("[3]")));
    t = Tampered("token");
    t.zeros("blocks.3.norm1.weight", {18});
    EXPECT_THAT(t.refused(), AllOf(HasSubstr("'blocks.3.norm1.weight'"), HasSubstr("3 blocks")));
    t = Tampered("token");
    t.zeros("blocks.00.norm1.weight", {18});
    EXPECT_THAT(t.refused(), HasSubstr("'blocks.00.norm1.weight'"));
    t = Tampered("token");
    t.zeros("fc_norm.weight", {18});
    EXPECT_THAT(t.refused(),
                AllOf(HasSubstr("'fc_norm.weight'"), HasSubstr("not part of the model")));
    t = Tampered("token");
    t.zeros("bad\nname", {1});
    EXPECT_THAT(t.refused(), HasSubstr("bad\\x0aname"));
}

TEST(Convert, NamesMissingTensors) {
    const Checkpoint whole = Tampered("token").checkpoint;
    for (const TensorView& gone : whole.tensors) {
        Tampered t("token");
        t.remove(gone.name);
        EXPECT_THAT(t.refused(), AllOf(HasSubstr("'" + gone.name + "' is missing"),
                                       HasSubstr("expected shape")));
    }
    Tampered t("distilled");
    t.remove("head_dist.bias");
    EXPECT_THAT(t.refused(), HasSubstr("'head_dist.bias' is missing: expected shape [7]"));
}

TEST(Convert, NamesWrongShapes) {
    Tampered t("token");
    std::swap(t.tensor("blocks.0.mlp.fc1.weight").shape[0],
              t.tensor("blocks.0.mlp.fc1.weight").shape[1]);
    EXPECT_THAT(t.refused(), AllOf(HasSubstr("'blocks.0.mlp.fc1.weight'"), HasSubstr("[27, 18]"),
                                   HasSubstr("[18, 27]"), HasSubstr("transposed")));
    t = Tampered("token");
    t.tensor("blocks.0.attn.qkv.weight").shape = {18, 54};
    EXPECT_THAT(t.refused(),
                AllOf(HasSubstr("expected shape [54, 18]"), HasSubstr("found [18, 54]")));
    t = Tampered("token");
    t.tensor("cls_token").shape = {18, 1, 1};
    EXPECT_THAT(t.refused(), HasSubstr("'cls_token'"));
    t = Tampered("token");
    t.tensor("patch_embed.proj.weight").shape = {18, 192, 1, 1};
    EXPECT_THAT(t.refused(), HasSubstr("[18, 3, 8, 8]"));
    t = Tampered("token");
    t.configure([](json& c) { c["num_classes"] = c["model_args"]["num_classes"] = 6; });
    EXPECT_THAT(t.refused(), HasSubstr("'head."));
    t = Tampered("token");
    t.remove("pos_embed");
    t.zeros("pos_embed", {1, 16, 18});  // 15 patches: not as configured, and no square
    EXPECT_THAT(t.refused(), AllOf(HasSubstr("'pos_embed'"), HasSubstr("[1, 17, 18]")));
}

TEST(Convert, NamesValuesThatDoNotFitInFloat32) {
    const auto refused = [](double value) {
        Tampered t("token");
        std::vector<double> values(3, 1.0);
        values[2] = value;
        const Shape shape = t.tensor("head.bias").shape;
        values.resize(static_cast<std::size_t>(shape.at(0)), 1.0);
        t.remove("head.bias");
        t.checkpoint.tensors.push_back(
            {"head.bias", DType::f64, shape, std::as_bytes(std::span(values))});
        return t.refused();
    };
    EXPECT_THAT(refused(1e300), AllOf(HasSubstr("'head.bias'"), HasSubstr("found 1e+300 at [2]"),
                                      HasSubstr("float32")));
    EXPECT_THAT(refused(-std::numeric_limits<double>::infinity()),
                AllOf(HasSubstr("found -inf at [2]"), HasSubstr("damaged")));
    EXPECT_THAT(refused(1.5), "accepted");
}

TEST(Convert, NamesTensorsThatAreNotFinite) {
    Tampered t("token");
    t.poison("blocks.1.mlp.fc2.weight", 2 * 27 + 5, std::numeric_limits<float>::quiet_NaN());
    EXPECT_THAT(t.refused(), AllOf(HasSubstr("'blocks.1.mlp.fc2.weight'"), HasSubstr("nan"),
                                   HasSubstr("[2, 5]")));
    t = Tampered("token");
    t.poison("blocks.0.attn.qkv.bias", 53, -std::numeric_limits<float>::infinity());
    EXPECT_THAT(t.refused(),
                AllOf(HasSubstr("'blocks.0.attn.qkv.bias'"), HasSubstr("inf"), HasSubstr("[53]")));
    t = Tampered("token");
    t.poison("head.bias", 0, std::numeric_limits<float>::max());
    EXPECT_THAT(t.refused(), "accepted");
}

TEST(Convert, RefusesIntegers) {
    Tampered t("token");
    t.tensor("head.bias").dtype = DType::i32;
    EXPECT_THAT(t.refused(), HasSubstr("head.bias"));
}

TEST(Convert, RefusesTheSameTensorTwice) {
    Tampered t("deit3");
    t.zeros("blocks.0.gamma_1", {18});
    EXPECT_THAT(t.refused(),
                AllOf(HasSubstr("'blocks.0.gamma_1'"), HasSubstr("'blocks.0.ls1.gamma'")));
}

TEST(Convert, RefusesAWrongNumberOfHeads) {
    Tampered t("token");
    t.configure([](json& c) { c["model_args"]["num_heads"] = 4; });
    EXPECT_THAT(t.refused(), AllOf(HasSubstr("num_heads"), HasSubstr("18"), HasSubstr("4")));
}

TEST(Convert, DropsWithAReason) {
    Tampered t("gelu_tanh");  // this checkpoint has attention pooling, which timm drops
    const Converted model = convert(t.checkpoint);
    int dropped = 0;
    for (const ReportLine& line : model.tensor_report) {
        if (line.used) continue;
        ++dropped;
        EXPECT_TRUE(line.name.starts_with("attn_pool.")) << line.name;
        EXPECT_THAT(line.text, HasSubstr("attention pooling"));
        EXPECT_THAT(model.header.provenance.notes, Contains(HasSubstr(line.name)));
    }
    EXPECT_EQ(dropped, 13);

    t = Tampered("avg");  // timm refuses the same for other architectures
    t.zeros("attn_pool.latent", {1, 1, 18});
    EXPECT_THAT(t.refused(), HasSubstr("'attn_pool.latent'"));

    t = Tampered("token");
    t.configure([](json& c) { c["num_classes"] = c["model_args"]["num_classes"] = 0; });
    const Converted headless = convert(t.checkpoint);
    EXPECT_EQ(headless.tensors.back().name, "norm.bias");
    EXPECT_THAT(headless.header.provenance.notes, Contains(HasSubstr("'head.weight'")));
}

TEST(Convert, LeavesOutRowsBeforeTheClasses) {
    Tampered t("token");
    const std::vector<float> rows = to_f32(t.tensor("head.weight")),
                             bias = to_f32(t.tensor("head.bias"));
    t.configure([](json& c) {
        c["num_classes"] = c["model_args"]["num_classes"] = 6;
        c["pretrained_cfg"]["label_offset"] = 1;
    });
    const Converted model = convert(t.checkpoint);
    EXPECT_EQ(values_of(model, "head.weight"), std::vector<float>(rows.begin() + 18, rows.end()));
    EXPECT_EQ(values_of(model, "head.bias"), std::vector<float>(bias.begin() + 1, bias.end()));
}

// With such sizes, resizing the table once never ended or needed gigabytes.
TEST(Convert, RefusesMorePatchesThanAnyModelHas) {
    for (const std::int64_t side : {std::int64_t{1} << 30, std::int64_t{16000}}) {
        Tampered t("token");
        t.configure([&](json& c) { c["model_args"]["img_size"] = side; });
        EXPECT_THAT(t.refused(), AllOf(HasSubstr("img_size"), HasSubstr("at most 16384 patches"),
                                       HasSubstr(std::to_string(side))));
        ConvertOptions options;
        options.image_size = ImageSize{side, side};
        EXPECT_THAT(Tampered("token").refused(ErrorKind::usage, options), HasSubstr("--img-size"));
    }
}

TEST(Convert, ResizesThePositionTable) {
    Tampered t("token");
    ConvertOptions options;
    options.image_size = ImageSize{48, 64};
    const Converted model = convert(t.checkpoint, options);
    EXPECT_EQ(model.header.config.image_size, (ImageSize{48, 64}));
    EXPECT_EQ(model.header.preprocessing.input_size, (ImageSize{48, 64}));
    const std::vector<float> table = values_of(model, "pos_embed"),
                             old = to_f32(t.tensor("pos_embed"));
    ASSERT_EQ(table.size(), std::size_t{(6 * 8 + 1) * 18});
    EXPECT_TRUE(std::equal(old.begin(), old.begin() + 18, table.begin()));  // the class token's row
    EXPECT_THAT(model.header.provenance.notes, Contains(HasSubstr("4x4 to 6x8")));

    // As in timm, an incomplete last patch is cut off.
    options.image_size = ImageSize{48, 63};
    EXPECT_EQ(values_of(convert(t.checkpoint, options), "pos_embed").size(),
              std::size_t{(6 * 7 + 1) * 18});
    options.image_size = ImageSize{7, 8};
    EXPECT_THAT(t.refused(ErrorKind::usage, options),
                AllOf(HasSubstr("--img-size"), HasSubstr("7x8"), HasSubstr("8x8")));
    options.image_size = ImageSize{0, 8};
    EXPECT_THAT(t.refused(ErrorKind::usage, options), HasSubstr("--img-size"));

    // FlexiViT's tables are resized bilinearly.
    t.configure([](json& c) { c["architecture"] = "flexivit_small"; });
    t.configure([](json& c) { c["model_args"]["no_embed_class"] = false; });
    options.image_size = ImageSize{48, 64};
    const Converted flexi = convert(t.checkpoint, options);
    EXPECT_EQ(flexi.header.config.table_interpolation, TableInterpolation::bilinear);
    EXPECT_EQ(values_of(flexi, "pos_embed"),
              resample_position_table(old, 1, {4, 4}, {6, 8}, 18, TableInterpolation::bilinear));
}

TEST(Convert, SplitsHalfHeadsOfDifferentialAttention) {
    Tampered t("differential");  // 3 heads of 8: q1 has the rows 0-3, 8-11, 16-19 of Q
    const std::vector<float> qkv = to_f32(t.tensor("blocks.1.attn.qkv.weight"));
    const Converted model = convert(t.checkpoint);
    const auto rows_from = [&](std::initializer_list<int> firsts) {
        std::vector<float> out;
        for (const int first : firsts)
            out.insert(out.end(), qkv.begin() + first * 24, qkv.begin() + (first + 4) * 24);
        return out;
    };
    EXPECT_EQ(values_of(model, "blocks.1.attn.q1.weight"), rows_from({0, 8, 16}));
    EXPECT_EQ(values_of(model, "blocks.1.attn.q2.weight"), rows_from({4, 12, 20}));
    EXPECT_EQ(values_of(model, "blocks.1.attn.k2.weight"), rows_from({28, 36, 44}));
    EXPECT_EQ(values_of(model, "blocks.1.attn.v.weight"),
              std::vector<float>(qkv.begin() + 48 * 24, qkv.end()));

    const auto dot = [&](const std::string& a, const std::string& b) {
        const std::vector<float> x = to_f32(t.tensor("blocks.1.attn.lambda_" + a)),
                                 y = to_f32(t.tensor("blocks.1.attn.lambda_" + b));
        double sum = 0;
        for (std::size_t i = 0; i < x.size(); ++i)
            sum += static_cast<double>(x[i]) * static_cast<double>(y[i]);
        return sum;
    };
    const double initial = 0.8 - 0.6 * std::exp(-0.3);
    EXPECT_NEAR(values_of(model, "blocks.1.attn.lambda").at(0),
                std::exp(dot("q1", "k1")) - std::exp(dot("q2", "k2")) + initial, 1e-6);
    EXPECT_NEAR(values_of(model, "blocks.1.attn.sub_norm.weight").at(3),
                to_f32(t.tensor("blocks.1.attn.sub_norm.weight")).at(3) * (1 - initial), 1e-6);

    t.remove("blocks.0.attn.lambda_k2");
    EXPECT_THAT(t.refused(), HasSubstr("'blocks.0.attn.lambda_k2' is missing: expected shape [4]"));
}

TEST(Convert, SplitsFusedProjections) {
    Tampered t("differential_parallel");
    const std::vector<float> in = to_f32(t.tensor("blocks.0.in_proj.weight")),
                             out = to_f32(t.tensor("blocks.0.out_proj.weight"));
    const Converted model = convert(t.checkpoint);
    const std::vector<float> fc1 = values_of(model, "blocks.0.mlp.fc1.weight"),
                             proj = values_of(model, "blocks.0.attn.proj.weight"),
                             fc2 = values_of(model, "blocks.0.mlp.fc2.weight");
    const std::size_t mlp_dim = fc1.size() / 24, width = 24 + mlp_dim;
    EXPECT_TRUE(std::equal(fc1.begin(), fc1.end(), in.begin()));
    for (std::size_t row = 0; row < 24; ++row) {
        EXPECT_TRUE(std::equal(proj.begin() + static_cast<std::ptrdiff_t>(row * 24),
                               proj.begin() + static_cast<std::ptrdiff_t>((row + 1) * 24),
                               out.begin() + static_cast<std::ptrdiff_t>(row * width)));
        EXPECT_EQ(fc2[row * mlp_dim], out[row * width + 24]);
    }
    EXPECT_EQ(values_of(model, "blocks.0.ls1"), values_of(model, "blocks.0.ls2"));

    t = Tampered("parallel_scaling_no_qkv_bias");
    EXPECT_EQ(values_of(convert(t.checkpoint), "blocks.1.mlp.fc1.bias"),
              to_f32(t.tensor("blocks.1.mlp_bias")));
}

TEST(Convert, SplitsPackedGates) {
    Tampered t("packed_glu");
    const std::vector<float> both = to_f32(t.tensor("blocks.0.mlp.fc1.bias"));
    const Converted model = convert(t.checkpoint);
    const auto half = both.begin() + static_cast<std::ptrdiff_t>(both.size() / 2);
    EXPECT_EQ(values_of(model, "blocks.0.mlp.gate.bias"), std::vector<float>(both.begin(), half));
    EXPECT_EQ(values_of(model, "blocks.0.mlp.fc1.bias"), std::vector<float>(half, both.end()));

    // DINOv2 has its own names for the same tensors.
    for (const std::string block : {"blocks.0.mlp.", "blocks.1.mlp."})
        for (const std::string kind : {".weight", ".bias"}) {
            t.tensor(block + "fc1" + kind).name = block + "w12" + kind;
            t.tensor(block + "fc2" + kind).name = block + "w3" + kind;
        }
    EXPECT_EQ(values_of(convert(t.checkpoint), "blocks.0.mlp.fc1.bias"),
              std::vector<float>(half, both.end()));
    t.remove("blocks.1.mlp.w12.weight");
    EXPECT_THAT(t.refused(),
                HasSubstr("'blocks.1.mlp.w12.weight' is missing: expected shape [54, 18]"));
}

TEST(Convert, RefusesHeadsThatNormsContradict) {
    Tampered t("qk_norm");
    t.configure([](json& c) { c["model_args"]["num_heads"] = 2; });
    EXPECT_THAT(t.refused(),
                AllOf(HasSubstr("'blocks.0.attn.k_norm.bias'"),
                      HasSubstr("expected shape [9], found [6]"), HasSubstr("num_heads")));
}

/// Such a tensor alone does not show that the model has the part. The message must name the
/// argument that decides it.
TEST(Convert, SaysWhichArgumentDecides) {
    const std::vector<std::pair<std::string, std::string>> extra{
        {"norm_pre.weight", "model_args.pre_norm true has it"},
        {"patch_embed.norm.weight", "embed_norm_layer"},
        {"blocks.0.attn.q_norm.weight", "model_args.qk_norm true has it"},
        {"blocks.1.attn.norm.weight", "scale_attn_norm"},
        {"blocks.1.mlp.norm.bias", "scale_mlp_norm"},
        {"blocks.0.ls1.gamma", "init_values"},
        {"attn_pool.latent", "global_pool 'map'"},
        {"reg_token", "reg_tokens"},
    };
    for (const auto& [name, argument] : extra) {
        Tampered t("token");
        t.zeros(name, {18});
        EXPECT_THAT(t.refused(), AllOf(HasSubstr("'" + name + "' [18] is not part of the model"),
                                       HasSubstr(argument)));
    }
    const std::vector<std::pair<std::vector<std::string>, std::string>> missing{
        {{"attn.qkv.bias"}, "model_args.qkv_bias false does without"},
        {{"attn.proj.bias", "mlp.fc1.bias", "mlp.fc2.bias"},
         "model_args.proj_bias false does without"},
        {{"cls_token"}, "model_args.class_token false does without"},
        {{"head.weight", "head.bias"}, "model_args.num_classes 0 does without"},
    };
    for (const auto& [names, argument] : missing) {
        Tampered t("token");
        for (const std::string& name : names)
            std::erase_if(t.checkpoint.tensors,
                          [&](const TensorView& tensor) { return tensor.name.ends_with(name); });
        EXPECT_THAT(t.refused(), AllOf(HasSubstr(names[0] + "' is missing"), HasSubstr(argument)));
    }
}

TEST(Convert, SaysThatACheckpointIsIncomplete) {
    const std::vector<std::pair<std::string, std::string>> missing{
        {"blocks.0.attn.qkv.bias", "'blocks.1.attn.qkv.bias' is there"},
        {"blocks.2.mlp.fc2.bias", "is there, so the checkpoint is incomplete"},
        {"blocks.1.norm1.bias", "is there, so the checkpoint is incomplete"},
        {"head.bias", "'head.weight' is there"},
    };
    for (const auto& [name, other] : missing) {
        Tampered t("token");
        t.remove(name);
        EXPECT_THAT(t.refused(), AllOf(HasSubstr("'" + name + "' is missing"), HasSubstr(other),
                                       Not(HasSubstr("does without"))));
    }
    Tampered t("token");  // pre_norm true would need another tensor
    t.remove("patch_embed.proj.bias");
    EXPECT_THAT(t.refused(), Not(HasSubstr("does without")));
}

TEST(Convert, SaysWhatStandsInATensorsPlace) {
    Tampered t("token");
    t.remove("head.bias");
    t.checkpoint.other_entries.push_back({"head.bias", "text"});
    EXPECT_THAT(t.refused(), HasSubstr("tensor 'head.bias': expected shape [7], found text"));
    t = Tampered("token");
    t.checkpoint.other_entries.push_back({"version", "an integer"});
    const ReportLine line = convert(t.checkpoint).tensor_report.back();
    EXPECT_EQ(line.name, "version");
    EXPECT_FALSE(line.used);
    EXPECT_EQ(line.text, "an integer, not a tensor");
    t.checkpoint.other_entries.push_back({"an entry whose key is an integer", "a tensor"});
    EXPECT_EQ(convert(t.checkpoint).tensor_report.back().text, "a tensor without a name");
}

TEST(Convert, RefusesTensorsOfTheWrongRank) {
    for (const std::string name : {"cls_token", "pos_embed"}) {
        Tampered t("token");
        Shape& shape = t.tensor(name).shape;
        shape.insert(shape.begin(), 1);
        EXPECT_THAT(t.refused(), AllOf(HasSubstr("'" + name + "'"), HasSubstr("[1, 1, ")));
        shape.erase(shape.begin(), shape.begin() + 2);
        EXPECT_THAT(t.refused(), HasSubstr("'" + name + "'"));
    }
}

// This is a separate function because GCC 12 warns that the options are uninitialised if they are
// set in place.
[[gnu::noinline]] ConvertOptions of_architecture(const std::string& name) {
    ConvertOptions options;
    options.arch = name;
    return options;
}

TEST(Convert, RefusesHeadsThatContradictThemselves) {
    // The number of classes of this model comes from the tensors.
    const ConvertOptions options = of_architecture("vit_tiny_patch16_224");
    Tampered t("token");
    t.checkpoint.config_json.reset();
    t.remove("head.weight");
    t.zeros("head.weight", {0, 18});
    EXPECT_THAT(t.refused(ErrorKind::model, options),
                AllOf(HasSubstr("'head.weight'"), HasSubstr("7 classes of 'head.bias'"),
                      HasSubstr("[0, 18]")));
}

TEST(Convert, NamesTheConfigurationsFile) {
    Tampered t("token");
    t.configure([](json& c) { c["model_args"]["depth"] = "three"; });
    EXPECT_THAT(message_of_convert(t.checkpoint),
                AllOf(HasSubstr("/timm/token/config.json' model_args.depth: expected"),
                      Not(HasSubstr("model.safetensors"))));
    t.checkpoint.config_json = "{";
    EXPECT_THAT(message_of_convert(t.checkpoint), HasSubstr("/config.json': not valid JSON"));
}

TEST(Convert, SaysWhoseArchitectureItIs) {
    Tampered t("token");
    for (const std::string arch :
         {"torchvision.vit_b_16", "vit_pytorch.ViT:heads=3", "clip.openai"}) {
        ConvertOptions options;
        options.arch = arch;
        EXPECT_THAT(t.refused(ErrorKind::usage, options),
                    AllOf(HasSubstr("--arch: '" + arch + "' is an architecture of " +
                                    arch.substr(0, arch.find('.')) + "'s"),
                          HasSubstr("named as timm names them"), Not(HasSubstr("unknown"))));
    }
}

TEST(Convert, TakesGivenLabels) {
    Tampered t("token");
    ConvertOptions options;
    options.labels = "a\nb\nc\nd\ne\nf\ng\n";
    EXPECT_EQ(convert(t.checkpoint, options).header.labels.back(), "g");
    options.labels = "a\nb\n";
    options.labels_name = "names.txt";
    EXPECT_THAT(t.refused(ErrorKind::usage, options), HasSubstr("names.txt: expected 7 labels"));
}

TEST(Convert, AsksForTheArchitecture) {
    Tampered t("token");
    t.checkpoint.config_json.reset();
    EXPECT_THAT(t.refused(ErrorKind::usage),
                AllOf(HasSubstr("--arch"), HasSubstr("width 18"), HasSubstr("3 blocks"),
                      HasSubstr("8x8 patches")));
    t.checkpoint.tensors.clear();
    EXPECT_THAT(t.refused(ErrorKind::usage),
                AllOf(HasSubstr("there are none"), HasSubstr("docs/sources.md")));
    // The message names the architectures that fit.
    t.zeros("patch_embed.proj.weight", {192, 3, 16, 16});
    t.zeros("cls_token", {1, 1, 192});
    t.zeros("pos_embed", {1, 197, 192});
    for (int n = 0; n < 12; ++n)
        t.zeros("blocks." + std::to_string(n) + ".mlp.fc1.weight", {768, 192});
    EXPECT_THAT(t.refused(ErrorKind::usage),
                AllOf(HasSubstr("vit_tiny_patch16_224"), HasSubstr("deit_tiny_patch16_224")));
}

TEST(Convert, SaysWhatIsUnusualAboutUnnamedTensors) {
    Tampered t("rms_embed_norm_swiglu");
    t.checkpoint.config_json.reset();
    EXPECT_THAT(t.refused(ErrorKind::usage), AllOf(HasSubstr("less usual"), HasSubstr("--arch")));
    t = Tampered("token");
    t.checkpoint.config_json.reset();
    t.remove("pos_embed");
    EXPECT_THAT(t.refused(ErrorKind::usage), HasSubstr("without a position table"));
}

TEST(Convert, SaysWhoseNamesTheyAre) {
    Tampered t("token");
    t.checkpoint.config_json.reset();
    t.checkpoint.tensors.clear();
    t.zeros("vit.embeddings.patch_embeddings.projection.weight", {1});
    EXPECT_THAT(t.refused(ErrorKind::usage),
                AllOf(HasSubstr("Hugging Face transformers model"),
                      HasSubstr("put its config.json and preprocessor_config.json beside")));
    ConvertOptions options;
    options.arch = "vit_tiny_patch16_224";
    EXPECT_THAT(t.refused(ErrorKind::model, options),
                AllOf(HasSubstr("Hugging Face"), HasSubstr("put its config.json")));
}

/// Some tensor names of each model, as its library writes them.
TEST(Convert, SaysWhichOtherModelsTheyAre) {
    const std::vector<std::pair<std::string, std::vector<std::string>>> models{
        {"a Swin Transformer,",
         {"patch_embed.proj.weight", "layers.0.blocks.0.attn.relative_position_bias_table"}},
        {"a Swin Transformer,", {"features.1.0.attn.relative_position_bias_table"}},
        {"a Swin Transformer V2,",
         {"patch_embed.proj.weight", "layers.0.blocks.0.attn.cpb_mlp.0.weight"}},
        {"an EVA-02 model,",
         {"patch_embed.proj.weight", "pos_embed", "blocks.0.attn.q_bias",
          "blocks.0.mlp.fc1_g.weight"}},
        {"a BEiT,", {"patch_embed.proj.weight", "blocks.0.attn.relative_position_bias_table"}},
        {"a ResNet,", {"conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight"}},
        {"a ResNet,", {"model.conv1.weight", "model.layer1.0.conv1.weight"}},
        {"a ConvNeXt or EdgeNeXt,", {"stem.0.weight", "stages.0.blocks.0.conv_dw.weight"}},
        {"a text model,", {"bert.embeddings.word_embeddings.weight"}},
        {"a convolutional network,", {"features.0.weight", "features.1.running_mean"}},
    };
    for (const auto& [what, names] : models) {
        SCOPED_TRACE(what);
        Tampered t("token");
        t.checkpoint.config_json.reset();
        t.checkpoint.tensors.clear();
        for (const std::string& name : names) t.zeros(name, {1});
        ConvertOptions options;
        for (const bool named : {false, true}) {
            if (named) options.arch = "vit_tiny_patch16_224";
            EXPECT_THAT(
                t.refused(ErrorKind::model, options),
                AllOf(HasSubstr("the tensors are those of " + what), Not(HasSubstr("--arch"))));
        }
    }
}

TEST(Convert, TakesTheTrainingCheckpointsArchitecture) {
    Tampered t("token");
    t.checkpoint.config_json.reset();
    t.checkpoint.arch = "vit_tiny_patch16_224";
    EXPECT_THAT(t.refused(), HasSubstr("expected"));  // found, but its sizes do not fit
}

}  // namespace
}  // namespace vit
