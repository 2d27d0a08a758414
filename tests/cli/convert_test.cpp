// Runs vit-convert as a user does.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "engine/model/model_file.h"
#include "tests/cli/convert_fixture.h"
#include "tools/common/error_line.h"
#include "tools/common/signals.h"
#include "weights/readers/checkpoint.h"

namespace vit::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ConvertTool : public ConvertTest {
  protected:
    static std::string timm(const std::string& name) {
        return std::string(VIT_TEST_DATA) + "/timm/" + name;
    }
    static std::string npz(const std::string& name) {
        return std::string(VIT_TEST_DATA) + "/cli/" + name;
    }
    std::string out() const { return path("out/model.vit"); }

    Finished convert(std::vector<std::string> arguments) const {
        fs::create_directories(path("out"));
        arguments.insert(arguments.begin(), VIT_CONVERT);
        return run(arguments);
    }
    /// Runs with -o, and checks that no file is left behind except the model file.
    Finished convert_to_file(std::vector<std::string> arguments) const {
        arguments.insert(arguments.end(), {"-o", out()});
        const Finished done = convert(arguments);
        for (const fs::directory_entry& entry : fs::directory_iterator(path("out")))
            EXPECT_EQ(entry.path().filename(), "model.vit");
        return done;
    }
};

TEST_F(ConvertTool, WritesAModelFileThatVerifies) {
    const Finished done = convert_to_file({digits()});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(done.err, "");
    EXPECT_THAT(done.out, AllOf(HasSubstr("vit_tiny_patch16_224"), HasSubstr("32x32"),
                                HasSubstr("10 classes"), HasSubstr("56 tensors used, 0 dropped"),
                                HasSubstr("reference evaluator")));
    const ModelFile file = ModelFile::open(out());
    const Provenance& provenance = file.header().provenance;
    EXPECT_EQ(provenance.source, "model.safetensors");
    EXPECT_THAT(provenance.converter, HasSubstr("vit-convert"));
    // The value that `sha256sum` prints.
    EXPECT_EQ(provenance.sha256,
              "a0a0f8051a8a9864e31afa0bd9d86de77787b52fa6978dcbdf334763821eda90");
    EXPECT_EQ(file.header().labels.at(3), "three");
    ASSERT_TRUE(file.header().self_test);
    EXPECT_EQ(run({tool(), out(), "--verify"}).status, 0);
}

TEST_F(ConvertTool, StoresWeightsInBf16) {
    ASSERT_EQ(convert_to_file({digits(), "--dtype", "bf16"}).status, 0);
    const ModelFile file = ModelFile::open(out());
    EXPECT_EQ(file.header().dtype, DType::bf16);
    EXPECT_EQ(file.get("blocks.0.attn.q.weight").dtype, DType::bf16);
    EXPECT_EQ(file.get("head.weight").dtype, DType::f32);
    // The self-test was computed with the rounded weights, so a float32 run meets float32's
    // tolerance.
    EXPECT_EQ(run({tool(), out(), "--verify", "--precision", "f32"}).status, 0);
    // Without --precision the model runs in bf16. If the CPU cannot do that, it runs in float32 and
    // says so.
    EXPECT_EQ(run({tool(), out(), "--verify"}).status, 0);
    const Finished capped =
        run({"/usr/bin/env", "VIT_ISA=baseline", tool(), out(), "--verify", "--info"});
    EXPECT_EQ(capped.status, 0);
    EXPECT_THAT(capped.err, AllOf(HasSubstr("AVX512_BF16"), HasSubstr("runs in f32")));
    EXPECT_THAT(capped.out, testing::ContainsRegex("precision +f32"));
    // With --precision bf16 the user gets bf16 or an error.
    const Finished asked =
        run({"/usr/bin/env", "VIT_ISA=baseline", tool(), out(), "--verify", "--precision", "bf16"});
    EXPECT_EQ(asked.status, 3);
    EXPECT_THAT(asked.err, AllOf(HasSubstr("AVX512_BF16"), HasSubstr("use precision f32")));
}

TEST_F(ConvertTool, QuantizesToInt8) {
    ASSERT_EQ(convert_to_file({digits(), "--quantize", "int8"}).status, 0);
    const ModelFile file = ModelFile::open(out());
    EXPECT_EQ(file.header().dtype, DType::i8);
    EXPECT_EQ(file.get("blocks.0.attn.q.weight").dtype, DType::i8);
    EXPECT_EQ(file.get("blocks.0.attn.q.weight_scale").shape, (Shape{96}));
    EXPECT_EQ(file.get("patch_embed.weight").dtype, DType::f32);
    EXPECT_EQ(file.get("head.weight").dtype, DType::f32);
    for (const char* isa : {"VIT_ISA=baseline", "VIT_UNUSED="}) {
        const Finished found = run({"/usr/bin/env", isa, tool(), out(), "--verify", "--info"});
        EXPECT_EQ(found.status, 0) << found.err;
        EXPECT_THAT(found.out, testing::ContainsRegex("precision +int8"));
    }
    EXPECT_EQ(run({tool(), out(), "--verify", "--precision", "f32"}).status, 0);

    ASSERT_EQ(convert_to_file({digits(), "--quantize", "int8", "--pack"}).status, 0);
    const Finished packed = run({tool(), out(), "--verify", "--info"});
    EXPECT_EQ(packed.status, 0) << packed.err;
    EXPECT_THAT(packed.out, HasSubstr("packed in the file"));
}

TEST_F(ConvertTool, RefusesInt8WithoutInt8Weights) {
    ASSERT_EQ(convert_to_file({digits()}).status, 0);
    const Finished refused = run({tool(), out(), "--verify", "--precision", "int8"});
    EXPECT_EQ(refused.status, 3);
    EXPECT_THAT(refused.err, HasSubstr("convert it with --quantize int8"));
    EXPECT_EQ(convert_to_file({digits(), "--quantize", "int4"}).status, 2);
    EXPECT_EQ(convert_to_file({digits(), "--quantize", "int8", "--dtype", "bf16"}).status, 2);
}

TEST_F(ConvertTool, PacksBf16ForF32WhereTheCpuHasNoBf16) {
    setenv("VIT_ISA", "baseline", 1);
    const Finished done = convert_to_file({digits(), "--dtype", "bf16", "--pack"});
    const Finished found = run({tool(), out(), "--info", "--verify"});
    unsetenv("VIT_ISA");
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.err, HasSubstr("packed for f32"));
    EXPECT_EQ(found.status, 0) << found.err;
    EXPECT_THAT(found.out, HasSubstr("packed in the file"));
    EXPECT_EQ(ModelFile::open(out()).header().dtype, DType::bf16);
}

TEST_F(ConvertTool, PacksWeights) {
    ASSERT_EQ(convert_to_file({digits(), "--pack"}).status, 0);
    EXPECT_THAT(run({tool(), out(), "--info"}).out, HasSubstr("packed in the file"));
    EXPECT_EQ(run({tool(), out(), "--verify"}).status, 0);
    // oneDNN's own limit, because its layouts depend on its instruction set, not on VIT_ISA.
    const auto capped = [&](const char* option) {
        return run({"/usr/bin/env", "VIT_ISA=baseline", "ONEDNN_MAX_CPU_ISA=SSE41", tool(), out(),
                    option});
    };
    EXPECT_THAT(capped("--info").out, HasSubstr("packed when loaded"));
    EXPECT_EQ(capped("--verify").status, 0);
}

TEST_F(ConvertTool, IsQuietWhenAsked) {
    const Finished done = convert_to_file({digits(), "--quiet"});
    EXPECT_EQ(done.status, 0);
    EXPECT_EQ(done.out + done.err, "");
    EXPECT_TRUE(fs::exists(out()));
}

TEST_F(ConvertTool, IsDeterministic) {
    ASSERT_EQ(convert_to_file({digits()}).status, 0);
    const std::string first = read(out());
    ASSERT_EQ(convert_to_file({digits()}).status, 0);
    EXPECT_EQ(read(out()), first);
}

TEST_F(ConvertTool, InspectsWithoutWriting) {
    const Finished done = convert({timm("gelu_tanh"), "--inspect", "-o", out()});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_FALSE(fs::exists(out()));
    EXPECT_THAT(done.out, AllOf(HasSubstr("gelu_tanh"), HasSubstr("3 heads"),
                                HasSubstr("attn_pool.latent: dropped: "),
                                HasSubstr("blocks.0.attn.qkv.weight -> blocks.0.attn.q.weight"),
                                HasSubstr("model_args.depth: used")));
}

TEST_F(ConvertTool, TakesAnExpectedResult) {
    ASSERT_EQ(convert_to_file({timm("heads"), "--expect", npz("heads_expected.npz")}).status, 0);
    const ModelFile file = ModelFile::open(out());
    ASSERT_TRUE(file.header().self_test);
    EXPECT_TRUE(file.header().self_test->stored_input);
    EXPECT_THAT(file.header().self_test->made_by, HasSubstr("heads_expected.npz"));
    EXPECT_EQ(run({tool(), out(), "--verify"}).status, 0);

    ASSERT_EQ(convert_to_file({timm("heads"), "--expect", npz("heads_wrong.npz")}).status, 0);
    EXPECT_EQ(run({tool(), out(), "--verify"}).status, 3);
    expect_error(convert_to_file({timm("heads"), "--expect", npz("heads_misshapen.npz")}), 3,
                 "expected shape [1, 3, 32, 32]");
    expect_error(convert_to_file({timm("heads"), "--expect", npz("heads_incomplete.npz")}), 3,
                 "input");
    expect_error(convert_to_file({timm("heads"), "--expect", npz("none.npz")}), 74, "none.npz");
}

TEST_F(ConvertTool, LeavesTheSelfTestOut) {
    EXPECT_THAT(convert_to_file({digits(), "--no-self-test"}).out, HasSubstr("no self-test"));
    EXPECT_FALSE(ModelFile::open(out()).header().self_test);
}

TEST_F(ConvertTool, TakesLabels) {
    const std::string names =
        write("names.txt", "nil\nuno\ndue\ntre\nquattro\ncinque\nsei\nsette\notto\nnove\n");
    ASSERT_EQ(convert_to_file({digits(), "--labels", names}).status, 0);
    EXPECT_EQ(ModelFile::open(out()).header().labels.at(4), "quattro");
    expect_error(convert_to_file({digits(), "--labels", write("few.txt", "a\n")}), 2,
                 "expected 10 labels");
    expect_error(convert_to_file({digits(), "--labels", path("none.txt")}), 74, "none.txt");
}

/// Writes the bundled checkpoint to `folder`. Its head is widened to `classes` rows with zeros, and
/// config.json has no label names.
void write_with_classes(const fs::path& folder, std::int64_t classes) {
    const Checkpoint digits = read_checkpoint(fs::path(VIT_SOURCE_DIR) / "tools/digits-model");
    nlohmann::json header;
    std::string data;
    for (const TensorView& tensor : digits.tensors) {
        Shape shape = tensor.shape;
        std::string bytes(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
        if (tensor.name.starts_with("head.")) {
            const std::size_t row = bytes.size() / static_cast<std::size_t>(shape[0]);
            shape[0] = classes;
            bytes.assign(static_cast<std::size_t>(classes) * row, '\0');
        }
        header[tensor.name] = {{"dtype", "F32"},
                               {"shape", shape},
                               {"data_offsets", {data.size(), data.size() + bytes.size()}}};
        data += bytes;
    }
    const std::string text = header.dump();
    const std::uint64_t size = text.size();
    std::string file(reinterpret_cast<const char*>(&size), sizeof size);
    fs::create_directories(folder);
    std::ofstream(folder / "model.safetensors", std::ios::binary) << file << text << data;

    nlohmann::json config = nlohmann::json::parse(*digits.config_json);
    config.erase("label_names");
    config["num_classes"] = config["model_args"]["num_classes"] = classes;
    config["pretrained_cfg"].erase("label_names");
    config["pretrained_cfg"]["num_classes"] = classes;
    std::ofstream(folder / "config.json") << config;
}

TEST_F(ConvertTool, NamesImageNetsClassesWhereTheCheckpointDoesNot) {
    write_with_classes(path("thousand"), 1000);
    const Finished done = convert_to_file({path("thousand"), "--no-self-test"});
    ASSERT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("labels of imagenet-1k"));
    EXPECT_EQ(ModelFile::open(out()).header().labels.at(281), "tabby, tabby cat");

    std::string names;
    for (int i = 0; i < 1000; ++i) names += "class " + std::to_string(i) + "\n";
    ASSERT_EQ(
        convert_to_file({path("thousand"), "--no-self-test", "--labels", write("names.txt", names)})
            .status,
        0);
    EXPECT_EQ(ModelFile::open(out()).header().labels.at(281), "class 281");

    nlohmann::json config = nlohmann::json::parse(read(path("thousand/config.json")));
    config["label_names"] = {{"0", "the first"}};
    write("thousand/config.json", config.dump());
    ASSERT_EQ(convert_to_file({path("thousand"), "--no-self-test"}).status, 0);
    EXPECT_EQ(ModelFile::open(out()).header().labels.at(0), "the first");
    EXPECT_EQ(ModelFile::open(out()).header().labels.at(281), "281");

    write_with_classes(path("all"), 21843);
    ASSERT_EQ(convert_to_file({path("all"), "--no-self-test"}).status, 0);
    EXPECT_EQ(ModelFile::open(out()).header().labels.size(), 21843u);

    write_with_classes(path("other"), 999);
    EXPECT_THAT(convert_to_file({path("other"), "--no-self-test"}).out,
                Not(HasSubstr("labels of")));
    EXPECT_TRUE(ModelFile::open(out()).header().labels.empty());
}

TEST_F(ConvertTool, ResizesForAnotherImageSize) {
    EXPECT_THAT(convert_to_file({digits(), "--img-size", "48x64"}).out, HasSubstr("48x64 images"));
    EXPECT_EQ(run({tool(), out(), "--verify"}).status, 0);
    // As in timm, pixels beyond the last whole patch are not used.
    EXPECT_THAT(convert_to_file({digits(), "--img-size", "50"}).out, HasSubstr("6x6 patches"));
    EXPECT_EQ(run({tool(), out(), "--verify"}).status, 0);
    expect_error(convert_to_file({digits(), "--img-size", "7"}), 2, "at least one patch of 8x8");
}

TEST_F(ConvertTool, WrongUsageIs2) {
    const std::vector<std::vector<std::string>> wrong{
        {},
        {digits()},
        {digits(), "-o"},
        {digits(), "-o", out(), "--no-such-option"},
        {digits(), "-o", out(), "more"},
        {digits(), "-o", out(), "--dtype", "f16"},
        {digits(), "-o", out(), "--ema", "--no-ema"},
        {digits(), "-o", out(), "--expect", "a.npz", "--no-self-test"},
        {digits(), "-o", out(), "--img-size", "0"},
        {digits(), "-o", out(), "--img-size", "32x"},
        {digits(), "-o", out(), "--img-size", "x32"},
        {digits(), "-o", out(), "--img-size", "32x32x32"},
        {digits(), "-o", out(), "--img-size", "99999"},
        {digits(), "-o", out(), "--mean", "0.5,0.5"},
        {digits(), "-o", out(), "--mean", "0.5,0.5,nan"},
        {digits(), "-o", out(), "--std", "0.5,0,0.5"},
        {digits(), "-o", out(), "--crop-pct", "1.5"},
        {digits(), "-o", out(), "--crop-mode", "round"},
        {digits(), "-o", out(), "--interpolation", "magic"},
        {digits(), "-o", out(), "--arch", "vit_tiny_patch16_225"},
        {digits(), "-o", out(), "--arch", "vit_base_patch16_224"},
        {digits(), "-o", digits() / "model.safetensors"},
    };
    for (const std::vector<std::string>& arguments : wrong) {
        SCOPED_TRACE(arguments.empty() ? "" : arguments.back());
        expect_error(convert(arguments), 2, "");
    }
    EXPECT_FALSE(fs::exists(out()));
    EXPECT_EQ(fs::file_size(digits() / "model.safetensors"), 1879928u);
}

TEST_F(ConvertTool, TakesAPrefix) {
    const std::string wrapped = std::string(VIT_TEST_DATA) + "/wrapped/";
    expect_error(convert_to_file({wrapped + "distilled.pth"}), 2,
                 "'student.' (20 tensors), 'teacher.' (20 tensors); choose one with --prefix");
    const Finished done = convert_to_file({wrapped + "distilled.pth", "--prefix", "teacher."});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.out, AllOf(HasSubstr("20 tensors used, 20 dropped"),
                                HasSubstr("took the prefix 'teacher.' off 20 names; left out 20")));
    EXPECT_EQ(run({tool(), out(), "--verify"}).status, 0);
    const Finished inspected = convert({wrapped + "lightning.ckpt", "--inspect"});
    EXPECT_THAT(inspected.out,
                AllOf(HasSubstr("model.norm.bias -> norm.bias"),
                      HasSubstr("criterion.weight: dropped: lies outside the prefix 'model.'")));
}

TEST_F(ConvertTool, KnowsItsOwnModelFiles) {
    expect_error(convert_to_file({model()}), 3, "this is already a model file");
    expect_error(convert({model(), "--inspect"}), 3, "this is already a model file");
}

TEST_F(ConvertTool, CutsLongArgumentsShort) {
    const std::string longest(100'000, 'x');
    for (const std::vector<std::string>& arguments :
         std::vector<std::vector<std::string>>{{digits(), "--dtype", longest},
                                               {digits(), "--arch", longest},
                                               {digits(), "--img-size", longest},
                                               {longest}}) {
        const Finished done = convert_to_file(arguments);
        EXPECT_NE(done.status, 0);
        EXPECT_LT(done.err.size(), 1600u) << done.err.substr(0, 300);
        EXPECT_THAT(done.err, HasSubstr(" bytes) ..."));
    }
}

TEST_F(ConvertTool, AsksForAnArchitecture) {
    fs::copy_file(digits() / "model.safetensors", path("alone.safetensors"));
    expect_error(convert_to_file({path("alone.safetensors")}), 2, "--arch");
}

TEST_F(ConvertTool, RefusedCheckpointsAre3AndLeaveTheOldFile) {
    write("out/model.vit", "old");
    expect_error(convert_to_file({write("x.safetensors", "no checkpoint at all")}), 3,
                 "x.safetensors");
    expect_error(convert_to_file({write("empty.pth", "")}), 3, "empty.pth");
    const std::string whole = read(digits() / "model.safetensors");
    expect_error(convert_to_file({write("cut.safetensors", whole.substr(0, whole.size() - 1))}), 3,
                 "cut.safetensors");
    write("bad/model.safetensors", whole);
    write("bad/config.json", R"({"architecture": "resnet50"})");
    expect_error(convert_to_file({path("bad")}), 3, "'resnet50'");
    EXPECT_EQ(read(out()), "old");
}

TEST_F(ConvertTool, ReadingAndWritingErrorsAre74) {
    expect_error(convert_to_file({path("none.safetensors")}), 74, "none.safetensors");
    expect_error(convert({digits(), "-o", path("no/such/folder/model.vit")}), 74, "no such folder");
    expect_error(convert({digits(), "-o", path("out")}), 74,
                 "found a folder; name a file in it, such as");
    Start start;
    start.arguments = {VIT_CONVERT, digits(), "-o", out()};
    start.stdout_path = "/dev/full";
    EXPECT_EQ(run(start).status, 74);
}

TEST_F(ConvertTool, EscapesControlBytesInNames) {
    expect_error(convert_to_file({path("a\x1b[31m\nb.safetensors")}), 74, "\\x1b[31m");
    expect_error(convert_to_file({digits(), "--arch", "a\nb"}), 2, "'a\\x0ab'");
}

// A self-test with 15,625 patches would take minutes.
TEST_F(ConvertTool, TestsALargeModelOnASmallerImage) {
    const Finished done = convert_to_file({digits(), "--img-size", "1000"});
    ASSERT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("pixels of 1000x1000 to be quick"));
    const Finished verified = run({tool(), out(), "--verify"});
    EXPECT_EQ(verified.status, 0) << verified.err;
    EXPECT_THAT(verified.out, HasSubstr("pixels of 1000x1000 to be quick"));
}

TEST_F(ConvertTool, HelpsOnStandardOutput) {
    const Finished help = convert({"--help"});
    EXPECT_EQ(help.status, 0);
    for (const char* option :
         {"--arch", "--labels", "--dtype", "--ema", "--no-ema", "--img-size", "--prefix", "--quiet",
          "--inspect", "--expect", "--no-self-test", "--list", "--mean", "--std", "--crop-pct",
          "--crop-mode", "--interpolation"})
        EXPECT_THAT(help.out, HasSubstr(option));
    const Finished version = convert({"--version"});
    EXPECT_EQ(version.status, 0);
    EXPECT_THAT(version.out, HasSubstr("vit-convert"));
}

TEST_F(ConvertTool, EndsWhenInterrupted) {
    for (const int signal : {SIGINT, SIGTERM}) {
        const std::string pipe = path("labels" + std::to_string(signal));
        ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
        fs::create_directories(path("out"));
        Running running({VIT_CONVERT, digits(), "-o", out(), "--labels", pipe});
        const int end = open(pipe.c_str(), O_WRONLY);  // waits until vit-convert reads
        ASSERT_GE(end, 0);
        running.signal(signal);
        const Finished done = running.finish();
        close(end);
        EXPECT_EQ(done.status, 128 + signal);
        EXPECT_TRUE(fs::is_empty(path("out")));
    }
}

TEST(Signals, WaitForTheEndOfAWrite) {
    const auto interrupted_while_writing = [] {
        tools::exit_on_interrupt("tool");
        const tools::InterruptsHeld whole;
        raise(SIGTERM);
        [[maybe_unused]] const auto n = write(STDERR_FILENO, "written\n", 8);
    };
    EXPECT_EXIT(
        {
            interrupted_while_writing();
            _exit(0);
        },
        testing::ExitedWithCode(143), "^written\ntool: error: interrupted\n$");
}

TEST(ErrorLine, EscapesWhatIsNoText) {
    using tools::escape_control;
    EXPECT_EQ(escape_control("plain é 漢 😀"), "plain é 漢 😀");
    EXPECT_EQ(escape_control("a\nb\tc\rd"), "a\\nb\\tc\\rd");
    EXPECT_EQ(escape_control(std::string("\0\x1b\x7f", 3)), "\\x00\\x1b\\x7f");
    EXPECT_EQ(escape_control("\xc2\x9b"), "\\xc2\\x9b");  // C1: CSI
    EXPECT_EQ(escape_control("a\u202eb\u2028\u200b"),
              "a\\xe2\\x80\\xaeb\\xe2\\x80\\xa8\\xe2\\x80\\x8b");
    EXPECT_EQ(escape_control("\u00e9 \u4e2d"), "\u00e9 \u4e2d");
    EXPECT_EQ(escape_control("\xff \xc3( \xe2\x82"), "\\xff \\xc3( \\xe2\\x82");
    EXPECT_EQ(escape_control("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // surrogate
    EXPECT_EQ(escape_control("\xc0\xaf"), "\\xc0\\xaf");           // overlong
}

TEST(ErrorLine, NamesThePlaceOnce) {
    EXPECT_EQ(tools::error_line("t", "broken", "file"), "t: error: broken (file)");
    EXPECT_EQ(tools::error_line("t", "file: broken", "file"), "t: error: file: broken");
    EXPECT_EQ(tools::error_line("t", "broken"), "t: error: broken");
}

TEST(ErrorLine, HasAStatusForEveryKind) {
    using tools::exit_status;
    EXPECT_EQ(exit_status(ErrorKind::usage), 2);
    EXPECT_EQ(exit_status(ErrorKind::io), 74);
    EXPECT_EQ(exit_status(ErrorKind::format), 3);
    EXPECT_EQ(exit_status(ErrorKind::model), 3);
    EXPECT_EQ(exit_status(ErrorKind::unsupported), 3);
    EXPECT_EQ(exit_status(ErrorKind::input), 1);
    EXPECT_EQ(exit_status(ErrorKind::memory), 3);
    EXPECT_EQ(exit_status(ErrorKind::internal), 1);
}

}  // namespace
}  // namespace vit::test
