// Tests the pictures and arrays of --attention, --pca and --occlusion.
#include <gmock/gmock.h>

#include <cmath>

#include "tests/cli/fixture.h"
#include "tests/support/models.h"
#include "vit/attention.h"
#include "weights/readers/npy.h"

namespace vit::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Look : public InferTest {
  protected:
    bool exists(const std::string& name) const { return std::filesystem::exists(path(name)); }
    std::vector<std::uint8_t> pixels(const std::string& name) const {
        return decode_image(path(name)).rgb;
    }

    /// A run for one picture of `image`, which must succeed.
    std::vector<std::uint8_t> drawn(const std::string& option, const std::string& image,
                                    std::vector<std::string> more = {}) const {
        more.insert(more.end(), {image, option, path("drawn.png")});
        const Finished done = infer(more);
        EXPECT_EQ(done.status, 0) << done.err;
        return pixels("drawn.png");
    }

    /// The one line on standard error of a run that must be refused.
    static std::string refusal(int status, std::vector<std::string> arguments) {
        arguments.push_back(sample("03_eight.png"));
        return refusal_of(status, infer(arguments));
    }
    static std::string refusal_of(int status, const Finished& done) {
        EXPECT_EQ(done.status, status) << done.err;
        EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << done.err;
        EXPECT_THAT(done.err, StartsWith("vit-infer: error: "));
        return done.err;
    }

    /// A model that averages its patches.
    std::string averaging_model() const {
        const Finished done = run({VIT_CONVERT, std::string(VIT_TEST_DATA) + "/timm/avg", "-o",
                                   path("avg.vit"), "--quiet"});
        EXPECT_EQ(done.status, 0) << done.err;
        return path("avg.vit");
    }

    const std::string eight = sample("03_eight.png"), nine = sample("04_nine.png");
};

TEST_F(Look, DrawsOneInputAsAFile) {
    const Finished plain = infer({eight, "--format", "jsonl"});
    const Finished done = infer({eight, "--format", "jsonl", "--attention", path("a.png"), "--pca",
                                 path("p.png"), "--occlusion", path("o.png")});
    EXPECT_EQ(done.status, 0);
    EXPECT_EQ(done.err, "");
    EXPECT_EQ(done.out, plain.out);
    for (const char* name : {"a.png", "p.png", "o.png"}) {
        const Image image = decode_image(path(name));
        EXPECT_EQ(image.height, 448);  // 14 times the model's 32
        EXPECT_EQ(image.width, 448);
        EXPECT_NE(*std::ranges::max_element(image.rgb), *std::ranges::min_element(image.rgb));
    }
}

TEST_F(Look, DrawsImagesOfATarFile) {
    for (const char* name : {"03_eight.png", "04_nine.png"})
        copy_sample(name, std::string("in/") + name);
    ASSERT_EQ(run({"/usr/bin/env", "tar", "-C", path("in"), "-cf", path("x.tar"), "03_eight.png",
                   "04_nine.png"})
                  .status,
              0);
    const Finished done = infer({"-", "--attention", path("out"), "--pca", path("pca.png")},
                                path("x.tar") + "\n" + eight + "\n" + path("x.tar") + "\n");
    EXPECT_EQ(done.status, 0) << done.err;
    const std::vector<std::uint8_t> of_eight = drawn("--attention", eight),
                                    of_nine = drawn("--attention", nine);
    for (const char* name :
         {"03_eight-attention.png", "03_eight-attention-2.png", "03_eight-attention-3.png"})
        EXPECT_EQ(pixels(std::string("out/") + name), of_eight) << name;
    for (const char* name : {"04_nine-attention.png", "04_nine-attention-2.png"})
        EXPECT_EQ(pixels(std::string("out/") + name), of_nine) << name;
    EXPECT_EQ(pixels("pca-1.png"), pixels("pca-4.png"));
    EXPECT_TRUE(exists("pca-5.png"));
}

TEST_F(Look, NumbersThePicturesOfSeveralInputsByTheirPosition) {
    const std::string bad = write("bad.png", "no image");
    const Finished done = infer({eight, bad, nine, "--attention", path("out.png")});
    EXPECT_EQ(done.status, 1);
    EXPECT_TRUE(exists("out-1.png"));
    EXPECT_FALSE(exists("out-2.png"));
    EXPECT_TRUE(exists("out-3.png"));
    EXPECT_FALSE(exists("out.png"));
    EXPECT_EQ(pixels("out-3.png"), drawn("--attention", nine));
}

TEST_F(Look, NamesThePicturesInAFolderAfterTheInputs) {
    const std::string again = copy_sample("03_eight.png", "copy/03_eight.png");
    const std::string out = path("new/folder");
    const Finished done =
        infer({eight, again, nine, "--attention", out, "--pca", out, "--occlusion", out});
    EXPECT_EQ(done.status, 0) << done.err;
    for (const char* kind : {"attention", "pca", "occlusion"})
        for (const char* name : {"03_eight-{}", "03_eight-{}-2", "04_nine-{}"}) {
            std::string file = name;
            file.replace(file.find("{}"), 2, kind);
            EXPECT_TRUE(exists("new/folder/" + file + ".png")) << file;
        }
    EXPECT_EQ(pixels("new/folder/03_eight-pca.png"), pixels("new/folder/03_eight-pca-2.png"));
    EXPECT_NE(pixels("new/folder/03_eight-pca.png"), pixels("new/folder/04_nine-pca.png"));
}

TEST_F(Look, DrawsTheBlockAndTheHeadThatWereChosen) {
    const auto usual = drawn("--attention", eight);
    EXPECT_EQ(drawn("--attention", eight, {"--attention-block", "last"}), usual);
    EXPECT_EQ(drawn("--attention", eight, {"--attention-block", "3"}), usual);
    EXPECT_EQ(drawn("--attention", eight, {"--attention-head", "mean"}), usual);
    const std::vector<std::vector<std::string>> others{{"--attention-block", "0"},
                                                       {"--attention-head", "0"},
                                                       {"--attention-head", "2"},
                                                       {"--attention-rollout"}};
    std::vector<std::vector<std::uint8_t>> found{usual};
    for (const auto& each : others) {
        const auto picture = drawn("--attention", eight, each);
        EXPECT_THAT(found, testing::Not(testing::Contains(picture))) << each.back();
        found.push_back(picture);
    }
}

TEST_F(Look, IsTheSameForEveryNumberOfThreads) {
    for (const char* option : {"--attention", "--pca", "--occlusion"})
        EXPECT_EQ(drawn(option, eight, {"-t", "1"}), drawn(option, eight, {"-t", "3"})) << option;
}

TEST_F(Look, WritesTheAttentionOfTheBlock) {
    const std::string bad = write("bad.png", "no image");
    const Finished done =
        infer({eight, bad, nine, "--attention-npy", path("a.npy"), "--attention-block", "1"});
    EXPECT_EQ(done.status, 1);
    const NpyArray array = read_npy(path("a.npy"));
    ASSERT_EQ(array.shape, (Shape{3, 3, 17, 17}));
    const std::vector<float> found = to_f32(array.view());
    const Model loaded = Model::load(model());
    const std::size_t size = 3 * 17 * 17;
    for (const auto& [row, file] : {std::pair<std::size_t, std::string>(0, eight), {2, nine}}) {
        std::vector<float> pixels(3 * 32 * 32);
        preprocess(decode_image(file), loaded.info().transform, pixels);
        const AttentionMap map = attention(loaded, pixels, 1, AttentionRows::all);
        for (std::size_t i = 0; i < size; ++i)
            ASSERT_NEAR(found[row * size + i], map.weights[i], 1e-6);
    }
    for (std::size_t i = size; i < 2 * size; ++i) EXPECT_TRUE(std::isnan(found[i]));
}

TEST_F(Look, SharesThePrincipalComponentsOfAllInputs) {
    const auto alone = drawn("--pca", eight);
    EXPECT_EQ(infer({eight, nine, "--pca", path("two.png")}).status, 0);
    EXPECT_NE(pixels("two-1.png"), alone);
}

TEST_F(Look, DrawsRowsOfAnArrayLikeImages) {
    const Model loaded = Model::load(model());
    std::vector<float> values(2 * 3 * 32 * 32);
    for (std::size_t i = 0; i < 2; ++i)
        preprocess(decode_image(i == 0 ? eight : nine), loaded.info().transform,
                   std::span(values).subspan(i * 3 * 32 * 32, 3 * 32 * 32));
    write_npy(path("images.npy"), {2, 3, 32, 32}, values);
    EXPECT_EQ(infer({path("images.npy"), "--attention", path("folder")}).status, 0);
    EXPECT_EQ(pixels("folder/images-1-attention.png"), drawn("--attention", nine));
}

TEST_F(Look, ReadsAListOnStandardInput) {
    const Finished done = infer({"-", "--attention", path("folder")}, eight + "\n" + nine + "\n");
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(pixels("folder/04_nine-attention.png"), drawn("--attention", nine));
}

TEST_F(Look, RefusesAttentionWhereTheResultDoesNotReadAClassToken) {
    const std::string averaging = averaging_model();
    const std::string line =
        refusal_of(3, run({tool(), averaging, eight, "--attention", path("a.png")}));
    EXPECT_THAT(line, HasSubstr("--occlusion"));
    EXPECT_THAT(line, HasSubstr("--pca"));
    EXPECT_FALSE(exists("a.png"));

    const Finished others =
        run({tool(), averaging, eight, "--pca", path("p.png"), "--occlusion", path("o.png"),
             "--occlusion-size", "2", "--attention-npy", path("a.npy")});
    EXPECT_EQ(others.status, 0) << others.err;
    EXPECT_TRUE(exists("p.png"));
    EXPECT_TRUE(exists("o.png"));
    EXPECT_TRUE(exists("a.npy"));
}

TEST_F(Look, RefusesRolloutOfDifferentialAttention) {
    ModelConfig config = small_config();
    config.differential_attention = true;
    const TemporaryModel differential(config);
    const std::string line = refusal_of(3, run({tool(), differential.path(), eight, "--attention",
                                                path("a.png"), "--attention-rollout"}));
    EXPECT_THAT(line, HasSubstr("differential"));
    EXPECT_EQ(run({tool(), differential.path(), eight, "--attention", path("a.png")}).status, 0);
}

TEST_F(Look, RefusesWrongUse) {
    const std::string out = path("a.png");
    EXPECT_THAT(refusal(2, {"--attention", out, "--attention-block", "4"}),
                HasSubstr("--attention-block: expected 0 to 3, the model's blocks, found 4"));
    EXPECT_THAT(refusal(2, {"--attention", out, "--attention-head", "3"}),
                HasSubstr("--attention-head: expected 0 to 2, the model's heads, found 3"));
    for (const char* text : {"first", "-1", "1.5", "", "99999999999999999999"})
        EXPECT_THAT(refusal(2, {"--attention", out, std::string("--attention-block=") + text}),
                    HasSubstr("--attention-block"));
    EXPECT_THAT(refusal(2, {"--attention-block", "1"}), HasSubstr("--attention OUT"));
    EXPECT_THAT(refusal(2, {"--attention-head", "1"}), HasSubstr("--attention OUT"));
    EXPECT_THAT(refusal(2, {"--attention-rollout"}), HasSubstr("--attention OUT"));
    EXPECT_THAT(refusal(2, {"--occlusion-size", "2"}), HasSubstr("--occlusion OUT"));
    EXPECT_THAT(refusal(2, {"--attention", out, "--attention-rollout", "--attention-head", "1"}),
                HasSubstr("leave out --attention-head"));
    EXPECT_THAT(refusal(2, {"--attention", out, "--attention-rollout", "--attention-block", "1"}),
                HasSubstr("leave out --attention-block"));
    EXPECT_THAT(refusal(2, {"--attention", out, "--pca", out}), HasSubstr("two outputs"));
    EXPECT_THAT(refusal_of(2, infer({"--attention", out})), HasSubstr("INPUT"));
    EXPECT_FALSE(exists("a.png"));
}

TEST_F(Look, DoesNotReplaceInputs) {
    const std::string image = copy_sample("03_eight.png", "copy/03_eight.png");
    const std::string before = read(image);
    refusal_of(2, infer({image, "--attention", image}));
    // The picture of the first input would be the second input.
    const std::string numbered = path("x-1.png");
    std::filesystem::copy_file(image, numbered);
    EXPECT_THAT(refusal_of(2, infer({image, numbered, "--format", "jsonl", "-o", path("r.jsonl"),
                                     "--attention", path("x.png")})),
                HasSubstr("x-1.png"));
    EXPECT_EQ(read(image), before);
    EXPECT_EQ(read(numbered), before);
}

TEST_F(Look, SaysWhereAPictureCannotBeWritten) {
    const std::string file = write("file", "");
    EXPECT_THAT(
        refusal_of(74, infer({eight, "--format", "jsonl", "-o", path("r.jsonl"), "--pca", file})),
        HasSubstr("ends with .png"));
    EXPECT_THAT(refusal_of(74, infer({eight, "-o", path("r2.txt"), "--pca", path("no/p.png")})),
                HasSubstr("p.png"));
}

}  // namespace
}  // namespace vit::test
