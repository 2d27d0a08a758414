// Tests the page of --report, without a browser (tests/page/click-report uses one).
#include <gmock/gmock.h>

#include "tests/cli/fixture.h"

namespace vit::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Page : public InferTest {
  protected:
    /// The JSON in the script element of this name.
    static nlohmann::json data(const std::string& page, const std::string& id) {
        const std::string begin = "<script type=\"application/json\" id=\"" + id + "\">";
        const std::size_t from = page.find(begin) + begin.size();
        return nlohmann::json::parse(page.substr(from, page.find("</script>", from) - from));
    }
};

TEST_F(Page, HasEveryImageWithItsRecord) {
    const std::string strange = copy_sample("01_five.png", "a<b>&\"</script>.png");
    const Finished done = infer({strange, sample("02_two.png"), path("none.png"), "--format",
                                 "jsonl", "--report", path("page.html")});
    EXPECT_EQ(done.status, 1);
    const std::string page = read(path("page.html"));
    const auto images = data(page, "images");
    const auto records = lines_of(done.out);
    ASSERT_EQ(images.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(images[i]["file"], records[i]["file"]);
        ASSERT_EQ(images[i]["predictions"].size(), i < 2 ? 5u : 0u);
        for (std::size_t p = 0; p < images[i]["predictions"].size(); ++p) {
            const nlohmann::json &shown = images[i]["predictions"][p],
                                 &record = records[i]["predictions"][p];
            EXPECT_EQ(shown["index"], record["index"]);
            EXPECT_EQ(shown["label"], record["label"]);
            EXPECT_NEAR(shown["prob"].get<double>(), record["prob"].get<double>(), 1e-6);
        }
        EXPECT_EQ(images[i].contains("thumbnail"), i < 2);
    }
    EXPECT_EQ(images[2]["error"], "cannot read: No such file or directory");
    EXPECT_EQ(data(page, "facts")["grid"], nlohmann::json({4, 4}));
    EXPECT_EQ(images[0]["attention"].get<std::string>().size(), 24u);  // 16 bytes in base64
    EXPECT_THAT(images[0]["thumbnail"].get<std::string>(), testing::StartsWith("/9j/"));  // JPEG
}

TEST_F(Page, LoadsNothingFromElsewhere) {
    ASSERT_EQ(infer({sample("02_two.png"), "--report", path("page.html")}).status, 0);
    const std::string page = read(path("page.html"));
    EXPECT_THAT(page, HasSubstr("default-src 'none'"));
    EXPECT_THAT(page, Not(HasSubstr("http:")));
    EXPECT_THAT(page, Not(HasSubstr("https:")));
    EXPECT_THAT(page, Not(HasSubstr("@DATA@")));
}

TEST_F(Page, OfAProfileHasItsNodes) {
    ASSERT_EQ(infer({"--profile", "--report", path("page.html")}).status, 0);
    const std::string page = read(path("page.html"));
    EXPECT_GT(data(page, "profile")["nodes"].size(), 30u);
    EXPECT_THAT(page, HasSubstr("default-src 'none'"));
    EXPECT_THAT(page, Not(HasSubstr("@DATA@")));
}

TEST_F(Page, OfAnEvaluationKnowsTheTruth) {
    const std::string truth = digits() / "test/labels.csv";
    ASSERT_EQ(infer({"--evaluate", truth, "--report", path("page.html")}).status, 0);
    const auto images = data(read(path("page.html")), "images");
    std::size_t right = 0;
    for (const auto& image : images)
        right += image["truth"]["index"] == image["predictions"][0]["index"] ? 1 : 0;
    EXPECT_EQ(images.size(), 360u);
    EXPECT_EQ(right, 356u);
}

}  // namespace
}  // namespace vit::test
