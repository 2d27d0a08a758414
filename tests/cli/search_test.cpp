// Tests vit-search's search: neighbours, queries, formats and errors.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "engine/base/cosine.h"
#include "tests/cli/search_fixture.h"

namespace vit::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Search : public SearchTest {
  protected:
    static std::vector<float> values(const std::string& file) {
        return to_f32(read_npy(file).view());
    }
    /// The same array as float64, made from the bytes of a float32 file.
    std::string as_float64(const std::string& name, const Shape& shape,
                           const std::vector<float>& from) const {
        std::string header = npy_header(shape);
        header.replace(header.find("<f4"), 3, "<f8");
        const std::vector<double> wide(from.begin(), from.end());
        return write(name, header + std::string(reinterpret_cast<const char*>(wide.data()),
                                                wide.size() * sizeof(double)));
    }
    static void expect_scikit_learns(const std::vector<nlohmann::json>& found) {
        const nlohmann::json wanted = expected();
        ASSERT_EQ(found.size(), wanted["neighbours"].size());
        for (std::size_t q = 0; q < found.size(); ++q) {
            ASSERT_EQ(nlohmann::json(rows_of(found[q])), wanted["neighbours"][q]) << q;
            for (std::size_t i = 0; i < 10; ++i)
                ASSERT_NEAR(found[q]["matches"][i]["cosine"], wanted["cosines"][q][i], 1e-6);
        }
    }
};

TEST_F(Search, FindsScikitLearnsNeighbours) {
    expect_scikit_learns(records({data("train.npy"), data("test.npy")}));
}

TEST_F(Search, ReadsEveryFloatType) {
    const std::vector<float> train = values(data("train.npy"));
    write_vectors("f32.npy", {500, 64}, train);
    expect_scikit_learns(records({path("f32.npy"), data("test.npy")}));
    expect_scikit_learns(records({as_float64("f64.npy", {500, 64}, train), data("test.npy")}));
}

TEST_F(Search, IsTheSameForEveryNumberOfThreads) {
    const Finished one = search({data("train.npy"), data("test.npy"), "-t", "1", "-k", "499"});
    for (const char* threads : {"2", "3", "64"})
        EXPECT_EQ(search({data("train.npy"), data("test.npy"), "-t", threads, "-k", "499"}).out,
                  one.out);
}

TEST_F(Search, DoesNotFindRowsWithoutADirection) {
    const float nan = std::nanf(""), inf = std::numeric_limits<float>::infinity();
    // Lengths that float32 cannot square have a direction too.
    write_vectors("i.npy", {7, 2},
                  {nan, 1, 0, 0, 1, 1, inf, 1, 1e-30f, 2e-30f, 1e30f, -1e30f, -3, 0});
    write_vectors("q.npy", {2}, {5, 5});
    const auto found = records({path("i.npy"), path("q.npy")});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0]["query"], path("q.npy") + "[0]");
    EXPECT_THAT(rows_of(found[0]), ElementsAre(2, 4, 5, 6));
    EXPECT_NEAR(found[0]["matches"][0]["cosine"], 1, 1e-6);
    EXPECT_NEAR(found[0]["matches"][1]["cosine"], 3 / std::sqrt(10), 1e-6);
    EXPECT_NEAR(found[0]["matches"][2]["cosine"], 0, 1e-6);
    EXPECT_NEAR(found[0]["matches"][3]["cosine"], -std::sqrt(0.5), 1e-6);
}

TEST_F(Search, GivesEqualRowsInOrder) {
    std::vector<float> rows;
    for (int i = 0; i < 300; ++i) rows.insert(rows.end(), {1, 2, 3});
    write_vectors("i.npy", {300, 3}, rows);
    EXPECT_THAT(rows_of(records({path("i.npy"), "--row", "1", "-k", "4"}).at(0)),
                ElementsAre(0, 2, 3, 4));
}

TEST_F(Search, OfARowLeavesThatRowOut) {
    const auto found = records({data("train.npy"), "--row", "7", "-k", "499"});
    const auto rows = rows_of(found.at(0));
    EXPECT_EQ(rows.size(), 499u);
    EXPECT_EQ(std::ranges::count(rows, 7), 0);
}

TEST_F(Search, OfAnImageUsesTheModel) {
    ASSERT_EQ(infer({digits() / "samples", "--features", path("s.npy"), "--names", path("s.names"),
                     "--format", "jsonl"})
                  .status,
              0);
    const auto found = records({path("s.npy"), digits() / "samples", "--model", model()});
    ASSERT_EQ(found.size(), 20u);
    const std::vector<float> features = values(path("s.npy"));
    const auto row = [&](std::size_t i) { return std::span(features).subspan(i * 96, 96); };
    for (std::size_t q = 0; q < 20; ++q) {
        ASSERT_EQ(found[q]["matches"].size(), 10u);
        EXPECT_EQ(found[q]["matches"][0]["name"], found[q]["query"]);
        for (const auto& match : found[q]["matches"])
            EXPECT_NEAR(match["cosine"], cosine(row(q), row(match["row"])), 1e-5);
    }
    const Finished text =
        search({path("s.npy"), sample("01_five.png"), "--model", model(), "-k", "2"});
    EXPECT_THAT(text.out, testing::MatchesRegex(".*01_five\\.png\n +1 +1\\.0000  .*01_five\\.png\n"
                                                " +2 +0\\.[0-9]+  .*_five\\.png\n"));
}

TEST_F(Search, KeepsOnAfterABadImage) {
    ASSERT_EQ(
        infer({digits() / "samples", "--features", path("s.npy"), "--format", "jsonl"}).status, 0);
    write("q/1.png", "not an image");
    copy_sample("01_five.png", "q/2.png");
    const Finished done =
        search({path("s.npy"), path("q"), "--model", model(), "--format", "jsonl"});
    EXPECT_EQ(done.status, 1);
    EXPECT_THAT(done.err, HasSubstr("1 of 2 queries failed (first: "));
    const auto found = lines_of(done.out);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_FALSE(found[0]["ok"]);
    EXPECT_THAT(found[0]["error"].get<std::string>(), HasSubstr("1.png"));
    EXPECT_EQ(found[1]["matches"].size(), 10u);
}

TEST_F(Search, WritesEveryFormat) {
    write_vectors("i.npy", {2, 2}, {1, 0, 3, 4});
    write("i.names", "plain\na, \"b\"\n");
    write_vectors("q.npy", {1, 2}, {1, 0});
    const std::string query = path("q.npy") + "[0]";
    EXPECT_EQ(search({path("i.npy"), path("q.npy")}).out,
              query + "\n     1   1.0000  plain\n     2   0.6000  a, \"b\"\n");
    EXPECT_EQ(search({path("i.npy"), path("q.npy"), "--format", "csv"}).out,
              "query,ok,error,rank,row,cosine,name\n" + query + ",true,,1,0,1,plain\n" + query +
                  ",true,,2,1,0.6,\"a, \"\"b\"\"\"\n");
    const Finished json =
        search({path("i.npy"), path("q.npy"), "--format", "json", "-o", path("o.json")});
    EXPECT_EQ(json.out, "");
    EXPECT_EQ(nlohmann::json::parse(read(path("o.json"))),
              nlohmann::json(records({path("i.npy"), path("q.npy")})));
    EXPECT_THAT(search({path("i.npy"), path("q.npy"), "--time"}).err,
                testing::MatchesRegex("vit-search: 1 queries in 2 vectors of 2: .* ms with .*\n"));
}

TEST_F(Search, SaysWhatIsWrong) {
    struct Wrong {
        std::vector<std::string> arguments;
        int status;
        const char* message;
    };
    write_vectors("i.npy", {2, 2}, {1, 0, 3, 4});
    write_vectors("q.npy", {1, 3}, {1, 0, 0});
    write_vectors("zero.npy", {1, 2}, {0, 0});
    write_vectors("cube.npy", {1, 1, 2}, {1, 2});
    write("short.names", "one\n");
    const std::string whole = read(path("i.npy"));
    write("cut.npy", whole.substr(0, whole.size() - 4));
    const std::vector<Wrong> all{
        {{}, 2, "INDEX is required"},
        {{path("i.npy")}, 2, "name one task"},
        {{path("i.npy"), path("q.npy"), "--row", "1"}, 2, "name one task"},
        {{path("i.npy"), path("q.npy"), "--evaluate"}, 2, "expected all of them or none"},
        {{path("i.npy"), "--row", "2"}, 2, "expected 0 to 1"},
        {{path("i.npy"), "--row", "0", "-o", path("i.npy")}, 2, "this output is also an input"},
        {{path("i.npy"), "--duplicates", "0"}, 2, "--duplicates"},
        {{path("i.npy"), sample("01_five.png")}, 2, "need --model"},
        {{path("i.npy"), sample("01_five.png"), "--model", model()}, 2, "vectors of 2 values"},
        {{path("i.npy"), path("q.npy")},
         3,
         "expected vectors of 2 values as in the index, found 3"},
        {{path("cube.npy"), path("q.npy")}, 3, "expected float32, float16 or float64 [N, D]"},
        {{path("cut.npy"), path("q.npy")}, 3, "expected 16 bytes after the header, found 12"},
        {{path("i.npy"), "--row", "0", "--names", path("short.names")}, 3, "found 1 lines"},
        {{path("i.npy"), "--row", "0", "--names", path("none")}, 74, "cannot read"},
        {{path("none.npy"), "--row", "0"}, 74, "cannot open"},
        {{path("i.npy"), path("zero.npy")}, 1, "this vector has no direction"},
    };
    for (const Wrong& each : all) {
        SCOPED_TRACE(each.message);
        const Finished done = search(each.arguments);
        EXPECT_EQ(done.status, each.status);
        EXPECT_THAT(done.err, HasSubstr(each.message));
        EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1);
    }
}

TEST_F(Search, HelpsAndEndsQuietlyWithItsReader) {
    const Finished help = search({"--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.out, testing::StartsWith("vit-search INDEX.npy QUERY [options]\n"));
    Start start;
    start.arguments = {VIT_SEARCH, data("train.npy"), data("test.npy")};
    start.stdout_closed_pipe = true;
    const Finished gone = run(start);
    EXPECT_EQ(gone.status, 74);
    EXPECT_EQ(gone.err, "");
}

}  // namespace
}  // namespace vit::test
