// Tests what vit-convert shows: its steps on a terminal, and how images will be prepared.
#include <gmock/gmock.h>

#include "tests/cli/fixture.h"

namespace vit::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ConvertShows : public InferTest {
  protected:
    std::string out() const { return path("model.vit"); }
    Finished convert(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), VIT_CONVERT);
        arguments.insert(arguments.end(), {"-o", out()});
        return run(arguments);
    }
};

TEST_F(ConvertShows, ShowsItsStepsOnATerminal) {
    Start start;
    start.arguments = {VIT_CONVERT, digits(), "-o", path("model.vit")};
    start.stderr_terminal = true;
    const Finished shown = run(start);
    EXPECT_EQ(shown.status, 0);
    EXPECT_THAT(
        shown.err,
        AllOf(StartsWith("\rreading digits-model ...\x1b[K"), HasSubstr("\rconverting ...\x1b[K"),
              HasSubstr("\rself-test ...\x1b[K"), HasSubstr("\rself-test ["), HasSubstr(" %\x1b[K"),
              HasSubstr("\rwriting model.vit ...\x1b[K"), testing::EndsWith("\r\x1b[K")));
    EXPECT_THAT(shown.out, AllOf(HasSubstr("model.vit: "), Not(HasSubstr("self-test ..."))));

    // An error message must not follow a step on the same line.
    start.arguments[1] = write("bad.safetensors", "no checkpoint at all");
    const Finished refused = run(start);
    EXPECT_EQ(refused.status, 3);
    EXPECT_THAT(refused.err, HasSubstr("\r\x1b[Kvit-convert: error: "));

    start.arguments[1] = digits();
    start.arguments.push_back("--quiet");
    EXPECT_EQ(run(start).err, "");
}

TEST_F(ConvertShows, TakesAnotherPreprocessing) {
    const Finished plain = convert({digits()});
    EXPECT_THAT(plain.out,
                HasSubstr("\n  images: 32x32, crop center 0.9, bicubic, mean 0.5 0.5 0.5, "
                          "std 0.5 0.5 0.5\n"));
    const std::vector<std::string> own{
        "--mean", "0.4,0.5,0.6", "--std",  "0.2,0.3,0.4",     "--crop-pct",
        "0.8",    "--crop-mode", "squash", "--interpolation", "lanczos"};
    const auto classify = [&](std::vector<std::string> more) {
        more.insert(more.begin(), {tool(), out(), sample("01_five.png"), "--output-type", "logit"});
        const Finished done = run(more);
        EXPECT_EQ(done.status, 0) << done.err;
        return done.out;
    };
    const std::string said_to_infer = classify(own), without = classify({});

    std::vector<std::string> arguments = own;
    arguments.insert(arguments.begin(), digits());
    const Finished done = convert(arguments);
    ASSERT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.out,
                AllOf(HasSubstr("images: 32x32, crop squash 0.8, lanczos, mean 0.4 0.5 0.6, std "
                                "0.2 0.3 0.4\n"),
                      HasSubstr("mean, std, crop_pct, crop_mode, interpolation from the command")));
    EXPECT_EQ(classify({}), said_to_infer);
    EXPECT_NE(without, said_to_infer);
    EXPECT_THAT(convert({digits(), "--inspect", "--crop-pct", "0.7"}).out,
                HasSubstr("preprocessing: 32x32, crop center 0.7, "));
}

}  // namespace
}  // namespace vit::test
