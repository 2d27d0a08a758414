// Tests every output format, and compares the predictions with timm's.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>

#include "tests/cli/fixture.h"

namespace vit::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Records : public InferTest {};

struct Expected {
    int prediction = 0;
    double probability = 0;
    double logit = 0;
};

/// timm's answers for all test images (tools/fixtures/evaluate_digits.py).
std::map<std::string, Expected> expected_answers(const std::string& csv) {
    std::map<std::string, Expected> answers;
    std::istringstream stream(csv);
    std::string line;
    std::getline(stream, line);
    EXPECT_EQ(line, "file,label,prediction,index,probability,logit");
    while (std::getline(stream, line)) {
        std::istringstream fields(line);
        std::string file, label, prediction, index, probability, logit;
        std::getline(fields, file, ',');
        std::getline(fields, label, ',');
        std::getline(fields, prediction, ',');
        std::getline(fields, index, ',');
        std::getline(fields, probability, ',');
        std::getline(fields, logit, ',');
        answers[file] = {std::stoi(index), std::stod(probability), std::stod(logit)};
    }
    return answers;
}

TEST_F(Records, OfAFolderAreTimmsAnswers) {
    const auto answers = expected_answers(read(digits() / "test/expected.csv"));
    ASSERT_EQ(answers.size(), 360u);
    const Finished done = infer({digits() / "test", "--format", "jsonl", "-k", "1"});
    EXPECT_EQ(done.status, 0);
    EXPECT_EQ(done.err, "");
    const auto records = lines_of(done.out);
    ASSERT_EQ(records.size(), answers.size());
    for (const auto& record : records) {
        const std::string file =
            std::filesystem::path(record["file"].get<std::string>()).filename();
        ASSERT_TRUE(record["ok"]) << file;
        const auto& best = record["predictions"][0];
        const Expected& answer = answers.at(file);
        EXPECT_EQ(best["index"], answer.prediction) << file;
        EXPECT_NEAR(best["prob"], answer.probability, 1e-5) << file;
        EXPECT_NEAR(best["logit"], answer.logit, 2e-4) << file;
    }
}

TEST_F(Records, InBf16AreTheSameAnswers) {
    const auto answers = expected_answers(read(digits() / "test/expected.csv"));
    const Finished done =
        infer({digits() / "test", "--format", "jsonl", "-k", "1", "--precision", "bf16"});
    if (done.status == 3) GTEST_SKIP() << done.err;
    EXPECT_EQ(done.status, 0) << done.err;
    const auto records = lines_of(done.out);
    ASSERT_EQ(records.size(), answers.size());
    int other = 0;
    for (const auto& record : records) {
        const Expected& answer =
            answers.at(std::filesystem::path(record["file"].get<std::string>()).filename());
        const auto& best = record["predictions"][0];
        other += best["index"] != answer.prediction;
        EXPECT_NEAR(best["prob"], answer.probability, 0.01) << record["file"];
    }
    EXPECT_LE(other, 1);  // measured: none
}

TEST_F(Records, JsonlHasTheKeysOfTheContractInThisOrder) {
    const Finished done = infer({sample("01_five.png"), "--format", "jsonl", "-k", "2"});
    EXPECT_EQ(done.status, 0);
    EXPECT_THAT(done.out, StartsWith(fmt::format(
                              R"({{"file": "{}", "ok": true, "predictions": [{{"index": 5, )"
                              R"("label": "five", "prob": 0.9)",
                              sample("01_five.png"))));
    const auto record = lines_of(done.out).at(0);
    EXPECT_EQ(record.size(), 3u);
    ASSERT_EQ(record["predictions"].size(), 2u);
    for (const auto& each : record["predictions"]) {
        EXPECT_EQ(each.size(), 4u);
        EXPECT_TRUE(each["logit"].is_number());
    }
    EXPECT_GE(record["predictions"][0]["prob"], record["predictions"][1]["prob"]);
}

TEST_F(Records, JsonIsOneArrayOfTheSameRecords) {
    const std::vector<std::string> inputs{sample("01_five.png"), path("none.png"),
                                          sample("02_two.png")};
    auto jsonl = inputs, json = inputs;
    jsonl.insert(jsonl.end(), {"--format", "jsonl"});
    json.insert(json.end(), {"--format", "json"});
    const Finished lines = infer(jsonl);
    const Finished array = infer(json);
    EXPECT_EQ(lines.status, 1);
    EXPECT_EQ(array.status, 1);
    EXPECT_EQ(nlohmann::json::parse(array.out), nlohmann::json(lines_of(lines.out)));
}

TEST_F(Records, JsonOfNothingIsAnEmptyArray) {
    const Finished done = infer({"-", "--format", "json"});
    EXPECT_EQ(done.status, 0);
    EXPECT_EQ(nlohmann::json::parse(done.out), nlohmann::json::array());
}

TEST_F(Records, CsvHasAHeaderAndARowForEveryInput) {
    const std::string odd = copy_sample("02_two.png", "a,\"b\".png");
    const Finished done = infer({odd, path("none.png"), "--format", "csv", "-k", "2"});
    EXPECT_EQ(done.status, 1);
    std::istringstream stream(done.out);
    std::string header, good, bad, more;
    std::getline(stream, header);
    std::getline(stream, good);
    std::getline(stream, bad);
    EXPECT_FALSE(std::getline(stream, more));
    EXPECT_EQ(header, "file,ok,error,index_1,label_1,prob_1,index_2,label_2,prob_2,warning");
    EXPECT_THAT(good, StartsWith(fmt::format("\"{}\",true,,2,two,0.", path("a,\"\"b\"\".png"))));
    EXPECT_THAT(bad, StartsWith(path("none.png") + ",false,"));
    EXPECT_THAT(bad, testing::EndsWith(",,,,,,,"));
    EXPECT_THAT(good, testing::EndsWith(","));
}

TEST_F(Records, TextIsForPeople) {
    const Finished done = infer({sample("01_five.png"), path("none.png"), "-k", "1"});
    EXPECT_EQ(done.status, 1);
    EXPECT_THAT(done.out,
                testing::MatchesRegex(".*01_five\\.png\n +9[0-9.]+ % +5  five\n.*none\\.png\n"
                                      "  error: cannot read.*\n"));
    EXPECT_THAT(done.err,
                testing::MatchesRegex("vit-infer: error: 1 of 2 inputs failed \\(.*\\)\n"));
}

TEST_F(Records, OutputTypeLogitShowsLogits) {
    const auto record = lines_of(infer({sample("01_five.png"), "--format", "jsonl"}).out).at(0);
    const double logit = record["predictions"][0]["logit"];
    const Finished csv =
        infer({sample("01_five.png"), "--format", "csv", "--output-type", "logit", "-k", "1"});
    EXPECT_THAT(csv.out, StartsWith("file,ok,error,index_1,label_1,logit_1,warning\n"));
    EXPECT_NEAR(std::stod(csv.out.substr(csv.out.find(",five,") + 6)), logit, 1e-6);
    const Finished text = infer({sample("01_five.png"), "--output-type", "logit", "-k", "1"});
    EXPECT_THAT(text.out, testing::Not(HasSubstr("%")));
    EXPECT_THAT(text.out, HasSubstr("five"));
}

TEST_F(Records, ADamagedImageThatIsDecodedHasAWarning) {
    const std::string whole = read(sample("01_five.png"));
    const std::string cut = write("cut.png", whole.substr(0, whole.size() - 12));  // no IEND
    const auto expected = lines_of(infer({sample("01_five.png"), "--format", "jsonl"}).out).at(0);
    const std::string warning =
        "'" + cut + "': decoded in spite of damage: the file ends without an end of image";

    const Finished jsonl = infer({cut, "--format", "jsonl"});
    EXPECT_EQ(jsonl.status, 0);
    EXPECT_THAT(jsonl.out, HasSubstr(R"("ok": true, "warning": )"));
    const auto record = lines_of(jsonl.out).at(0);
    EXPECT_EQ(record["warning"], warning);
    EXPECT_EQ(record["predictions"], expected["predictions"]);

    const Finished csv = infer({cut, "--format", "csv", "-k", "1"});
    EXPECT_THAT(csv.out, testing::EndsWith("," + warning + "\n"));
    const Finished text = infer({cut, "-k", "1"});
    EXPECT_THAT(text.out, StartsWith(cut + "\n  warning: " + warning + "\n"));
    EXPECT_THAT(text.out, HasSubstr("five"));
}

TEST_F(Records, TopkBeyondTheClassesGivesAllOfThemOnce) {
    const Finished done = infer({sample("01_five.png"), "--format", "jsonl", "-k", "1000000"});
    const auto predictions = lines_of(done.out).at(0)["predictions"];
    ASSERT_EQ(predictions.size(), 10u);
    double sum = 0;
    std::vector<bool> seen(10);
    for (const auto& each : predictions) {
        sum += each["prob"].get<double>();
        seen.at(each["index"]) = true;
    }
    EXPECT_NEAR(sum, 1, 1e-5);
    EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 10);
}

TEST_F(Records, StrangeNamesNeitherBreakLinesNorTheFormat) {
    const std::vector<std::string> names{
        "with space.png",         "new\nline.png",   "quote\"'.png",
        "back\\slash.png",        "esc\x1b[31m.png", "not\xff\xfeutf8.png",
        "gr\xc3\xbc\xc3\x9f.png", "-dash.png",       "[bracket].png"};
    for (const std::string& name : names) {
        SCOPED_TRACE(name);
        const std::string file = copy_sample("02_two.png", name);
        const auto records = lines_of(infer({file, "--format", "jsonl"}).out);
        ASSERT_EQ(records.size(), 1u);
        EXPECT_TRUE(records[0]["ok"]);
        EXPECT_EQ(records[0]["predictions"][0]["label"], "two");
        if (name.find('\xff') == std::string::npos) {
            EXPECT_EQ(records[0]["file"], file);
            EXPECT_FALSE(records[0].contains("file_hex"));
        } else {
            EXPECT_THAT(records[0]["file"].get<std::string>(),
                        testing::EndsWith("not\xEF\xBF\xBD\xEF\xBF\xBDutf8.png"));
            EXPECT_THAT(records[0]["file_hex"].get<std::string>(),
                        testing::EndsWith("6e6f74fffe757466382e706e67"));
        }
        const Finished text = infer({file, "-k", "1"});
        EXPECT_EQ(std::count(text.out.begin(), text.out.end(), '\n'), 2);
        EXPECT_EQ(text.out.find('\x1b'), std::string::npos);
        EXPECT_EQ(text.out.find('\xff'), std::string::npos);
    }
    const Finished missing = infer({path("no\nsuch\x1b.png")});
    EXPECT_EQ(missing.status, 1);
    EXPECT_EQ(std::count(missing.err.begin(), missing.err.end(), '\n'), 1);
    EXPECT_EQ(missing.err.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace vit::test
