// Tests what the tools say about themselves, and how they answer mistyped command lines.
#include <gmock/gmock.h>

#include <regex>

#include "tests/cli/fixture.h"

namespace vit::test {
namespace {

using testing::HasSubstr;

class Help : public InferTest {
  protected:
    static std::filesystem::path manual(const std::string& name) {
        return std::filesystem::path(VIT_MANUAL) / name;
    }

    /// What bash completes for the words of a command line, the last of which is incomplete.
    static std::string completed(const std::string& tool, const std::string& words) {
        std::string function = "_" + tool;
        std::replace(function.begin(), function.end(), '-', '_');
        return run({"/usr/bin/env", "bash", "-c",
                    "source " + manual(tool + ".bash").native() + "; COMP_WORDS=(" + words +
                        "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); " + function +
                        "; echo \"${COMPREPLY[@]}\""})
            .out;
    }
};

TEST_F(Help, EveryOptionIsInTheManualPageAndTheCompletions) {
    for (const auto& [name, program] :
         {std::pair{"vit-infer", VIT_INFER}, std::pair{"vit-convert", VIT_CONVERT},
          std::pair{"vit-search", VIT_SEARCH}}) {
        const std::string help = run({program, "--help"}).out;
        const std::string man = read(manual(std::string(name) + ".1")),
                          bash = read(manual(std::string(name) + ".bash")),
                          zsh = read(manual(std::string("_") + name));
        const std::regex option("\n  (-., )?(--[a-z-]+)");
        int count = 0;
        for (std::sregex_iterator it(help.begin(), help.end(), option), end; it != end; ++it) {
            const std::string found = (*it)[2];
            EXPECT_THAT(man, HasSubstr(std::regex_replace(found, std::regex("-"), "\\-")));
            EXPECT_THAT(bash, HasSubstr(found));
            EXPECT_THAT(zsh, HasSubstr(found));
            ++count;
        }
        EXPECT_GT(count, 15) << name;
        std::istringstream stream(help);
        for (std::string line; std::getline(stream, line);) EXPECT_LE(line.size(), 100u) << line;
    }
}

TEST_F(Help, BashCompletesOptionsAndValues) {
    EXPECT_EQ(completed("vit-infer", "vit-infer model.vit --to"), "--topk --tokens\n");
    EXPECT_EQ(completed("vit-infer", "vit-infer model.vit --format j"), "json jsonl\n");
    EXPECT_EQ(completed("vit-infer", "vit-infer model.vit -t ''"), "\n");
    EXPECT_EQ(completed("vit-convert", "vit-convert --quantize i"), "int8\n");
    write("some/file.jpg", "");
    EXPECT_EQ(completed("vit-infer", "vit-infer " + path("some/f")), path("some/file.jpg") + "\n");
}

TEST_F(Help, MistypedNamesAreAnsweredWithTheNearestOne) {
    EXPECT_THAT(infer({"--formt", "json"}).err,
                HasSubstr("unknown option --formt; did you mean --format?"));
    EXPECT_THAT(infer({"x", "--format", "jsno"}).err,
                HasSubstr("expected text, json, jsonl or csv, found jsno; did you mean json?"));
    EXPECT_THAT(run({VIT_CONVERT, "x", "--dtyp=bf16"}).err,
                HasSubstr("unknown option --dtyp; did you mean --dtype?"));
    EXPECT_THAT(infer({"x", "--zzzzzz"}).err, testing::Not(HasSubstr("did you mean")));
}

TEST_F(Help, TheLastOfRepeatedOptionsCounts) {
    const Finished done = infer({sample("01_five.png"), "-k", "5", "-k", "2", "--format", "jsonl"});
    EXPECT_EQ(lines_of(done.out).at(0)["predictions"].size(), 2u);
}

TEST_F(Help, ThreeNumbersMayFollowMean) {
    const Finished commas = infer({sample("01_five.png"), "--mean", "0.4,0.5,0.6"});
    const Finished spaces = infer({"--mean", "0.4", "0.5", "0.6", sample("01_five.png")});
    EXPECT_EQ(spaces.status, 0) << spaces.err;
    EXPECT_EQ(spaces.out, commas.out);
}

TEST_F(Help, TheFormatFollowsTheNameOfTheOutput) {
    ASSERT_EQ(infer({sample("01_five.png"), "-o", path("x.json")}).status, 0);
    EXPECT_TRUE(nlohmann::json::parse(read(path("x.json"))).is_array());
    ASSERT_EQ(infer({sample("01_five.png"), "-o", path("x.csv")}).status, 0);
    EXPECT_THAT(read(path("x.csv")), testing::StartsWith("file,ok,error"));
    EXPECT_THAT(infer({sample("01_five.png"), "-o", "-"}).out, HasSubstr("five"));
}

TEST_F(Help, InfoAndProfileHaveJson) {
    const auto info = nlohmann::json::parse(infer({"--info", "--format", "json"}).out);
    EXPECT_EQ(info["classes"], 10);
    EXPECT_EQ(info["sha256"].get<std::string>().size(), 64u);
    const auto profile = nlohmann::json::parse(infer({"--profile", "--format", "json"}).out);
    EXPECT_GT(profile["nodes"].size(), 30u);
    double sum = 0;
    for (const auto& node : profile["nodes"]) sum += node["thread_ms"].get<double>();
    EXPECT_NEAR(sum + profile["waiting_thread_ms"].get<double>() +
                    profile["between_thread_ms"].get<double>(),
                profile["wall_ms"].get<double>() * profile["threads"].get<double>(), 1e-3 * sum);
}

}  // namespace
}  // namespace vit::test
