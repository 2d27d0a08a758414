// Tests exit statuses, output files, reports and the help text.
#include <gmock/gmock.h>

#include "tests/cli/fixture.h"

namespace vit::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

class ExitStatus : public InferTest {
  protected:
    static void expect_one_error_line(const Finished& done) {
        EXPECT_THAT(done.err, StartsWith("vit-infer: error: "));
        EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << done.err;
    }
};

TEST_F(ExitStatus, WrongUsageIs2) {
    const std::string image = sample("01_five.png");
    const std::vector<std::vector<std::string>> wrong{
        {},
        {image, "--no-such-option"},
        {image, "-k", "0"},
        {image, "-k", "many"},
        {image, "-t", "-1"},
        {image, "-t", "1025"},
        {image, "-b", "-1"},
        {image, "--format", "xml"},
        {image, "--output-type", "odds"},
        {image, "--precision", "f16"},
        {image, "--img-size", "0"},
        {image, "--img-size", "32x"},
        {image, "--img-size", "7"},
        {image, "--crop-pct", "0"},
        {image, "--crop-pct", "2"},
        {image, "--crop-mode", "round"},
        {image, "--interpolation", "magic"},
        {image, "--mean", "0.5,0.5"},
        {image, "--mean", "0.5", sample("02_two.png")},
        {image, "--mean", "128,128,128"},
        {image, "--features", "-"},
        {image, "--features", path("f.csv")},
        {image, "-o", path("x.json"), "--format", "csv"},
        {image, "--shard", "0/2"},
        {image, "--shard", "3/2"},
        {image, "--resume"},
        {image, "--resume", "-o", path("x.csv")},
        {image, "--std", "0.5,0,0.5"},
        {image, "--print-graph=png"},
        {image, "-o", path("x.npy"), "--logits", path("x.npy")},
        {image, "--features", path("x.npy"), "--logits", path("y/../x.npy")},
    };
    for (const auto& arguments : wrong) {
        const Finished done = infer(arguments);
        SCOPED_TRACE(testing::PrintToString(arguments));
        EXPECT_EQ(done.status, 2);
        EXPECT_EQ(done.out, "");
        expect_one_error_line(done);
    }
    const Finished nothing = run({tool()});
    EXPECT_EQ(nothing.status, 2);
    expect_one_error_line(nothing);
}

TEST_F(ExitStatus, AnOutputThatIsAnInputIs2AndNothingIsReplaced) {
    namespace fs = std::filesystem;
    const std::string image = copy_sample("01_five.png", "in/x.png");
    const std::string own_model = path("m.vit");
    fs::copy_file(model(), own_model);
    fs::create_hard_link(image, path("hard.png"));
    fs::create_symlink(own_model, path("link.vit"));
    const std::string before = read(image), model_before = read(own_model);
    const std::vector<std::vector<std::string>> wrong{
        {image, "-o", own_model},
        {image, "-o", path("link.vit")},
        {image, "--features", image},
        {image, "--logits", path("in/../in/x.png")},
        {image, "-o", path("hard.png")},
        {path("in"), "--tokens", image},
        {path("in"), "-o", path("hard.png")},
    };
    for (auto arguments : wrong) {
        SCOPED_TRACE(testing::PrintToString(arguments));
        arguments.insert(arguments.begin(), {tool(), own_model});
        const Finished done = run(arguments);
        EXPECT_EQ(done.status, 2);
        expect_one_error_line(done);
        EXPECT_EQ(read(image), before);
        EXPECT_EQ(read(own_model), model_before);
    }
}

TEST_F(ExitStatus, ARefusedModelIs3) {
    const std::string whole = read(model());
    for (const std::string& bytes :
         {std::string("hello"), std::string(), whole.substr(0, whole.size() - 1), whole + "x"}) {
        const Finished done = run({tool(), write("bad.vit", bytes), sample("01_five.png")});
        EXPECT_EQ(done.status, 3);
        EXPECT_EQ(done.out, "");
        expect_one_error_line(done);
        EXPECT_THAT(done.err, HasSubstr("bad.vit"));
    }
    EXPECT_EQ(run({tool(), digits() / "model.safetensors", sample("01_five.png")}).status, 3);
}

TEST_F(ExitStatus, AModelThatIsSomethingElseIsNamed) {
    const Finished swapped = run({tool(), sample("01_five.png"), model()});
    EXPECT_EQ(swapped.status, 3);
    expect_one_error_line(swapped);
    EXPECT_THAT(swapped.err, HasSubstr("found a PNG image; are MODEL and INPUT swapped?"));
    const std::string torch = std::string(VIT_TEST_DATA) + "/readers/plain.pth";
    const Finished checkpoint = run({tool(), torch, sample("01_five.png")});
    EXPECT_EQ(checkpoint.status, 3);
    expect_one_error_line(checkpoint);
    EXPECT_THAT(checkpoint.err, HasSubstr("convert it first: vit-convert"));
    const Finished folder = run({tool(), folder_, "--verify"});
    EXPECT_EQ(folder.status, 74);
    expect_one_error_line(folder);
    EXPECT_THAT(folder.err, HasSubstr("found a folder; if it holds a checkpoint, convert it"));
}

TEST_F(ExitStatus, AModelThatCannotBeReadIs74) {
    const Finished done = run({tool(), path("none.vit"), sample("01_five.png")});
    EXPECT_EQ(done.status, 74);
    expect_one_error_line(done);
    EXPECT_THAT(done.err, HasSubstr("none.vit"));
}

TEST_F(ExitStatus, WritingThatFailsIs74) {
    Start full;
    full.arguments = {tool(), model(), sample("01_five.png")};
    full.stdout_path = "/dev/full";
    const Finished done = run(full);
    EXPECT_EQ(done.status, 74);
    expect_one_error_line(done);

    for (const char* option : {"-o", "--logits", "--features", "--tokens"}) {
        SCOPED_TRACE(option);
        const Finished device = infer({sample("01_five.png"), option, "/dev/full"});
        EXPECT_EQ(device.status, 74);
        const Finished nowhere = infer({sample("01_five.png"), option, path("no/such/folder/x")});
        EXPECT_EQ(nowhere.status, 74);
        expect_one_error_line(nowhere);
        const Finished folder = infer({sample("01_five.png"), option, folder_});
        EXPECT_EQ(folder.status, 74);
        expect_one_error_line(folder);
    }
}

TEST_F(ExitStatus, AFolderThatMayNotBeWrittenIs74) {
    // Even root cannot create files in this folder.
    for (const char* option : {"-o", "--logits"}) {
        const Finished done = infer({sample("01_five.png"), option, "/proc/vit-infer-output"});
        EXPECT_EQ(done.status, 74);
        expect_one_error_line(done);
    }
}

TEST_F(ExitStatus, AReaderThatWentAwayIsNoNews) {
    Start start;
    start.arguments = {tool(), model(), sample("01_five.png")};
    start.stdout_closed_pipe = true;
    const Finished done = run(start);
    EXPECT_EQ(done.status, 74);
    EXPECT_EQ(done.err, "");
}

TEST_F(ExitStatus, AnOutputFileIsWhatStandardOutputWouldBe) {
    const Finished shown = infer({digits() / "samples", "--format", "json"});
    const Finished kept = infer({digits() / "samples", "--format", "json", "-o", path("out.json")});
    EXPECT_EQ(kept.status, 0);
    EXPECT_EQ(kept.out, "");
    EXPECT_EQ(read(path("out.json")), shown.out);
    EXPECT_EQ(infer({sample("01_five.png"), "-o", "/dev/null"}).status, 0);
}

TEST_F(ExitStatus, HelpAndVersionAreOnStandardOutput) {
    for (const char* option : {"-h", "--help"}) {
        const Finished help = run({tool(), option});
        EXPECT_EQ(help.status, 0);
        EXPECT_EQ(help.err, "");
        for (const char* each :
             {"INPUT",       "--topk",     "--format",   "--output-type", "--output",
              "--logits",    "--features", "--tokens",   "--threads",     "--batch-size",
              "--precision", "--img-size", "--crop-pct", "--crop-mode",   "--interpolation",
              "--mean",      "--std",      "--exif",     "--profile",     "--print-graph",
              "--verify",    "--info",     "Exit status"})
            EXPECT_THAT(help.out, HasSubstr(each));
    }
    const Finished version = run({tool(), "--version"});
    EXPECT_EQ(version.status, 0);
    EXPECT_THAT(version.out, MatchesRegex("vit [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(ExitStatus, ReportsNeedNoInput) {
    const Finished info = infer({"--info"});
    EXPECT_EQ(info.status, 0);
    EXPECT_THAT(info.out, HasSubstr("17 of 96"));
    EXPECT_THAT(infer({"--print-graph"}).out, HasSubstr("blocks.3"));
    EXPECT_THAT(infer({"--print-graph", "--built-graph"}).out, HasSubstr("drop"));
    EXPECT_THAT(infer({"--print-graph=dot"}).out, MatchesRegex("digraph[^{]*\\{(.|\n)*\\}\n*"));
    const Finished verify = infer({"--verify"});
    EXPECT_EQ(verify.status, 0);
    EXPECT_THAT(verify.out, HasSubstr("self-test passed"));
    const Finished profile = infer({"--profile", "-b", "2"});
    EXPECT_EQ(profile.status, 0);
    for (const char* each : {"GFLOP/s", "peak", "blocks.0.attn", "sum", "2 images", "waiting",
                             "accounted", "GB/s", "work done", "left out"})
        EXPECT_THAT(profile.out, HasSubstr(each));
}

TEST_F(ExitStatus, ReportsLeaveRecordsForProgramsAlone) {
    const Finished done =
        infer({sample("01_five.png"), "--info", "--verify", "--profile", "--format", "jsonl"});
    EXPECT_EQ(done.status, 0);
    EXPECT_EQ(lines_of(done.out).size(), 1u);
    EXPECT_THAT(done.err, HasSubstr("GFLOP/s"));
}

TEST_F(ExitStatus, AModelWithoutSelfTestIsNotVerified) {
    const std::string bare = path("bare.vit");
    ASSERT_EQ(run({VIT_CONVERT, digits(), "-o", bare, "--no-self-test", "--quiet"}).status, 0);
    const Finished done = run({tool(), bare, "--verify"});
    EXPECT_EQ(done.status, 3);
    expect_one_error_line(done);
}

TEST_F(ExitStatus, PreprocessingCanBeOverridden) {
    const std::string image = sample("01_five.png");
    const std::string plain = infer({image, "--format", "jsonl"}).out;
    // Options with the values of the model file change nothing; other values do.
    EXPECT_EQ(infer({image, "--format", "jsonl", "--crop-pct", "0.9", "--crop-mode", "center",
                     "--interpolation", "bicubic", "--mean", "0.5,0.5,0.5", "--std", "0.5", "0.5",
                     "0.5", "--img-size", "32x32", "--precision", "f32"})
                  .out,
              plain);
    const std::vector<std::vector<std::string>> changes{
        {"--crop-pct", "0.6"},         {"--interpolation", "nearest"}, {"--mean", "0.4,0.4,0.4"},
        {"--std=0.3,0.3,0.3"},         {"--img-size", "40"},           {"--img-size", "32x48"},
        {"--interpolation", "lanczos"}};
    for (const auto& change : changes) {
        std::vector<std::string> arguments{image, "--format", "jsonl"};
        arguments.insert(arguments.end(), change.begin(), change.end());
        const Finished done = infer(arguments);
        EXPECT_EQ(done.status, 0) << done.err;
        EXPECT_NE(done.out, plain) << testing::PrintToString(change);
    }
}

}  // namespace
}  // namespace vit::test
