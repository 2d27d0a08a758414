// Runs vit-eval on records as a user does.
#include "tests/cli/evaluate_fixture.h"

namespace vit::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Eval : public EvaluationTest {
  protected:
    std::string records(const std::string& k = "10") const {
        const std::string file = path("records.jsonl");
        const Finished done = infer({digits() / "test", "--format", "jsonl", "-k", k, "-o", file});
        EXPECT_EQ(done.status, 0) << done.err;
        return file;
    }
    /// A record of a sample, with the classes 5 and 2.
    static std::string record(const std::string& file) {
        return R"({"file": ")" + file + R"(", "ok": true, "predictions": [)" +
               R"({"index": 5, "label": "five", "prob": 0.75, "logit": 2.5}, )" +
               R"({"index": 2, "label": "two", "prob": 0.25, "logit": 1.4013877}]})" + "\n";
    }
};

TEST_F(Eval, OfRecordsTellsWhatTheRunTells) {
    const Finished done = eval({records(), labels_csv(), "--format", "json"});
    ASSERT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(done.err, "");
    nlohmann::json found = nlohmann::json::parse(done.out);
    expect_figures(found, expected("digits"));
    EXPECT_TRUE(found["images_per_second"].is_null());

    nlohmann::json ran = nlohmann::json::parse(evaluate(labels_csv(), {"--format", "json"}).out);
    for (const char* exact : {"images", "top1_right", "top5_right", "confusions", "classes"})
        EXPECT_EQ(found[exact], ran[exact]) << exact;
    // Probabilities in records are float32.
    EXPECT_NEAR(found["nll"], ran["nll"], 1e-6);
    EXPECT_NEAR(found["ece"], ran["ece"], 1e-6);
}

TEST_F(Eval, SaysWhatShortRecordsDoNotTell) {
    const std::string short_records = records("1");
    const Finished text = eval({short_records, labels_csv()});
    ASSERT_EQ(text.status, 0) << text.err;
    EXPECT_THAT(text.out, HasSubstr("top-1          98.89 %  (356 of 360)\n"));
    EXPECT_THAT(text.out, HasSubstr("top-5         not known"));
    EXPECT_THAT(text.out, HasSubstr("NLL           not known: records lack the true class "
                                    "(vit-infer -k 10)\n"));
    const auto json =
        nlohmann::json::parse(eval({short_records, labels_csv(), "--format", "json"}).out);
    EXPECT_TRUE(json["top5"].is_null());
    EXPECT_TRUE(json["nll"].is_null());
}

TEST_F(Eval, MatchesRecordsByTheEndOfTheirNames) {
    const std::string file =
        write("r.jsonl", record("/elsewhere/./a/01_five.png") + record("b/02_two.png"));
    const std::string csv =
        write("truth.csv", "file,label\na/01_five.png,five\nb/02_two.png,two\n");
    const Finished done = eval({file, csv});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("top-1          50.00 %  (1 of 2)\n"));
    EXPECT_THAT(done.out, HasSubstr("NLL           0.8370\n"));  // (-ln 0.75 - ln 0.25) / 2

    const Finished more = eval({file, write("t.csv",
                                            "file,label\na/01_five.png,five\n"
                                            "c/02_two.png,two\n")});
    EXPECT_EQ(more.status, 1);
    EXPECT_THAT(more.out,
                StartsWith("images        1, and 1 without a record that do not count\n"));
    EXPECT_THAT(more.err,
                HasSubstr("vit-eval: note: 1 records are of images that are not in SOURCE"));
    EXPECT_THAT(more.err, HasSubstr("vit-eval: error: 1 of 2 images failed or have no record ("));
}

TEST_F(Eval, KnowsNamesThatAreNotUtf8) {
    const std::string name = "not\xff.png";
    copy_sample("01_five.png", "five/" + name);
    const std::string file = path("r.jsonl");
    ASSERT_EQ(infer({path("five"), "--format", "jsonl", "-o", file}).status, 0);
    std::filesystem::create_directories(path("classes"));
    std::filesystem::rename(path("five"), path("classes/five"));
    // The name in the record is …/five/not\xff.png, and that below SOURCE is five/not\xff.png.
    const Finished done = eval({file, path("classes")});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("top-1         100.00 %  (1 of 1)\n"));
}

TEST_F(Eval, CountsFailedRecords) {
    const std::string file = write(
        "r.jsonl", record("01_five.png") +
                       "{\"file\": \"02_two.png\", \"ok\": false, \"error\": \"damaged\"}\n" +
                       R"({"file": "x.png", "ok": true, "predictions": [{"index": 1, "label": )"
                       R"("one", "prob": null, "logit": null}]})"
                       "\n");
    const std::string csv =
        write("truth.csv", "file,label\n01_five.png,5\n02_two.png,2\nx.png,1\n");
    const Finished done = eval({file, csv});
    EXPECT_EQ(done.status, 1);
    EXPECT_THAT(done.out, StartsWith("images        1, and 2 that failed and do not count\n"));
    EXPECT_THAT(done.err, HasSubstr("2 of 3 images failed or have no record (first: "));
}

TEST_F(Eval, TakesClassesFromTheModelFile) {
    copy_sample("01_five.png", "classes/five/01_five.png");
    copy_sample("06_zero.png", "classes/zero/06_zero.png");
    const std::string file =
        write("r.jsonl", record("five/01_five.png") + record("zero/06_zero.png"));
    expect_error(eval({file, path("classes")}), 1,
                 "the folder 'zero' is not a label of the records, but 1 of 2 folders are; rename "
                 "it, or use --class-map or --model");
    const Finished done = eval({file, path("classes"), "--model", model(), "--all-classes"});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("top-1          50.00 %  (1 of 2)\n"));
    EXPECT_THAT(done.out, testing::ContainsRegex("\n +0  zero +1    0.00 %  five \\(1\\)\n"));
    expect_error(eval({write("other.jsonl", R"({"file": "five/01_five.png", "ok": true, )"
                                            R"("predictions": [{"index": 10, "label": "x", )"
                                            R"("prob": 0.5, "logit": 1}]})"),
                       path("classes"), "--model", model()}),
                 1, "line 1: expected a class from 0 to 9, found 10");
}

TEST_F(Eval, RefusesWhatIsNoRecord) {
    const std::string csv = write("truth.csv", "file,label\n01_five.png,5\n");
    const auto refused = [&](const std::string& text, const std::string& message) {
        SCOPED_TRACE(text);
        expect_error(eval({write("r.jsonl", text), csv}), 1, message);
    };
    const std::string good = record("01_five.png");
    refused("[\n" + good + "]\n",
            "line 1: expected a record as vit-infer --format jsonl writes it");
    refused(good + "nonsense\n", "line 2: expected a record");
    refused(good.substr(0, 60), "found no JSON");
    refused("{}\n", "found no \"file\"");
    refused(R"({"file": 3})", "found number as \"file\"");
    refused(R"({"file": "x"})", "found no \"ok\"");
    refused(R"({"file": "x", "ok": 1})", "found number as \"ok\"");
    refused(R"({"file": "x", "ok": true, "predictions": []})", "without a prediction");
    refused(R"({"file": "x", "ok": true, "predictions": [1]})", "found number as prediction");
    for (const char* index : {"-1", "0.5", "1e99", "99999999999", "\"1\"", "18446744073709551615"})
        refused(std::string(R"({"file": "x", "ok": true, "predictions": [{"index": )") + index +
                    R"(, "label": "a", "prob": 1, "logit": 1}]})",
                "an \"index\" that is not a class");
    refused(R"({"file": "x", "ok": true, "predictions": [{"index": 1, "label": "a", "prob": 2, )"
            R"("logit": 1}]})",
            "a \"prob\" that is not from 0 to 1");
    refused(R"({"file": "x", "file_hex": "0g", "ok": false})", "not hexadecimal");
    refused(good + good, "line 2: a second record of ");
    refused(record("other.png"), "no record is of an image in SOURCE");
    refused("", "no record is of an image in SOURCE");
    refused(good + R"({"file": "x", "ok": true, "predictions": [{"index": 5, "label": "fife", )"
                   R"("prob": 1, "logit": 1}]})",
            "line 2: class 5 is 'fife', but was 'five' before");
    expect_error(eval({path("none.jsonl"), csv}), 74, "cannot read the records");
    expect_error(eval({folder_, csv}), 74, "expected a file of records, found a folder");
    expect_error(eval({"/dev/null", csv}), 74, "expected a regular file");
    expect_error(eval({write("r.jsonl", good), write("twice.csv",
                                                     "file,label\n01_five.png,5\n"
                                                     "./01_five.png,5\n")}),
                 1, "this image occurs twice");
}

TEST_F(Eval, HasTheUsualOptions) {
    expect_error(eval({}), 2, "RECORDS");
    expect_error(eval({"a", "b", "--format", "csv"}), 2, "--format");
    expect_error(eval({"a", "b", "--confusion", "a.png"}), 2, "--confusion");
    const Finished help = eval({"--help"});
    EXPECT_EQ(help.status, 0);
    for (const char* option : {"--model", "--format", "--class-map", "--real-labels", "--confusion",
                               "--reliability", "--all-classes", "--version"})
        EXPECT_THAT(help.out, HasSubstr(option));
    const std::string manual = read(std::filesystem::path(VIT_MANUAL) / "vit-eval.1");
    EXPECT_THAT(manual, HasSubstr("\\-\\-real\\-labels"));
    EXPECT_THAT(eval({"--version"}).out, StartsWith("vit "));
}

}  // namespace
}  // namespace vit::test
