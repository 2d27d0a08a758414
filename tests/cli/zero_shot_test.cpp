// Compares classes from text embeddings with the probabilities of transformers and open_clip
// (tools/fixtures/zero_shot.py).
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/cli/fixture.h"
#include "weights/readers/npz.h"

namespace vit::test {
namespace {

using testing::HasSubstr;

struct Source {
    const char* name;
    const char* checkpoint;
};

class ZeroShot : public InferTest, public testing::WithParamInterface<Source> {
  protected:
    static std::string data(const std::string& name) {
        return std::string(VIT_TEST_DATA) + "/zero_shot/" + name;
    }
    std::string converted(const std::string& checkpoint) const {
        const Finished done = run({VIT_CONVERT, std::string(VIT_TEST_DATA) + "/" + checkpoint, "-o",
                                   path("m.vit"), "--quiet"});
        EXPECT_EQ(done.status, 0) << done.err;
        return path("m.vit");
    }
    static const NpyArray& array(const std::vector<NpyArray>& arrays, const std::string& name) {
        return *std::ranges::find(arrays, name, &NpyArray::name);
    }
};

TEST_P(ZeroShot, GivesTheLibrarysProbabilities) {
    const std::string name = GetParam().name;
    const std::vector<NpyArray> expected = read_npz(data(name + ".expected.npz"));
    const NpyArray& input = array(expected, "input");
    const std::vector<float> probabilities = to_f32(array(expected, "probabilities").view());
    const std::vector<float> logits = to_f32(array(expected, "logits").view());
    write_npy(path("in.npy"), input.shape, to_f32(input.view()));
    const Finished done = run({tool(), converted(GetParam().checkpoint), path("in.npy"),
                               "--classes", data(name + ".npz"), "--format", "jsonl", "-k", "99"});
    ASSERT_EQ(done.status, 0) << done.err;
    const auto records = lines_of(done.out);
    ASSERT_EQ(records.size(), 3u);
    const std::vector<std::string> names{"ant",       "bee",       "cat",        "dog",
                                         "\u00e9lan", "two words", "quote \"x\""};
    for (std::size_t i = 0; i < records.size(); ++i) {
        const auto& predictions = records[i]["predictions"];
        ASSERT_EQ(predictions.size(), names.size());
        std::vector<bool> seen(names.size());
        double last = 2;
        for (const auto& each : predictions) {
            const std::size_t c = each["index"];
            seen.at(c) = true;
            EXPECT_EQ(each["label"], names.at(c));
            EXPECT_NEAR(each["prob"], probabilities.at(i * names.size() + c), 1e-5);
            // Logits are up to 15 here, and relative errors about 1e-6.
            EXPECT_NEAR(each["logit"], logits.at(i * names.size() + c), 5e-5);
            EXPECT_LE(each["prob"].get<double>(), last);
            last = each["prob"];
        }
        EXPECT_EQ(std::ranges::count(seen, true), std::ssize(names));
    }
}

INSTANTIATE_TEST_SUITE_P(Models, ZeroShot,
                         testing::Values(Source{"clip", "transformers/clip"},
                                         Source{"siglip", "transformers/siglip"},
                                         Source{"open_clip", "sources/open_clip"}),
                         [](const auto& source) { return source.param.name; });

class ZeroShotErrors : public ZeroShot {};

TEST_F(ZeroShotErrors, NameWhatIsWrong) {
    const std::string clip = converted("transformers/clip");
    const auto refusal = [&](const std::string& model_file, const std::string& classes) {
        const Finished done =
            run({tool(), model_file, sample("01_five.png"), "--classes", classes});
        EXPECT_EQ(done.out, "");
        EXPECT_EQ(done.status, 3);
        return done.err;
    };
    EXPECT_THAT(refusal(clip, data("siglip.npz")),
                HasSubstr("'text': expected [7, 20], the number of names and the length of the "
                          "model's image embeddings (its logits), found [7, 24]"));
    EXPECT_THAT(refusal(clip, data("clip.expected.npz")),
                HasSubstr("expected an array 'names', found none"));
    EXPECT_THAT(refusal(clip, sample("01_five.png")), HasSubstr("expected an .npz archive"));
    const Finished done = run({tool(), clip, "--info", "--classes", data("clip.npz")});
    EXPECT_EQ(done.status, 2);
    EXPECT_THAT(done.err, HasSubstr("--classes needs INPUT"));
}

}  // namespace
}  // namespace vit::test
