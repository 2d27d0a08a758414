// Runs vit-infer --evaluate as a user does, and compares it with timm's validation.
#include <fmt/format.h>

#include "tests/cli/evaluate_fixture.h"

namespace vit::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

class Evaluate : public EvaluationTest {};

TEST_F(Evaluate, OfTheDigitsFindsWhatTimmFinds) {
    const Finished done = evaluate(labels_csv(), {"--format", "json"});
    ASSERT_EQ(done.status, 0) << done.err;
    const nlohmann::json found = nlohmann::json::parse(done.out);
    expect_figures(found, expected("digits"));
    EXPECT_GT(found["images_per_second"], 0);
    EXPECT_FALSE(found.contains("real"));
}

TEST_F(Evaluate, OfPhotographsInFoldersFindsWhatTimmFinds) {
    const nlohmann::json timm = expected("photos");
    const std::string source =
        std::string(VIT_TEST_DATA) + "/timm/" + expected("photo_model").get<std::string>();
    const std::string model = path("photos.vit"), records = path("records.jsonl");
    ASSERT_EQ(run({VIT_CONVERT, source, "-o", model, "--quiet"}).status, 0);
    const Finished done = run({tool(), model, "--evaluate", data() / "photos", "--format", "json"});
    ASSERT_EQ(done.status, 0) << done.err;
    expect_figures(nlohmann::json::parse(done.out), timm);

    const Finished written =
        run({tool(), model, "--evaluate", data() / "photos", "--format", "jsonl", "-o", records});
    ASSERT_EQ(written.status, 0) << written.err;
    EXPECT_THAT(written.out, StartsWith("images        28\ntop-1          28.57 %  (8 of 28)\n"
                                        "top-5          78.57 %  (22 of 28)\n"));
    const auto lines = lines_of(read(records));
    ASSERT_EQ(lines.size(), 28u);
    for (const auto& record : lines) {
        const fs::path file = record["file"].get<std::string>();
        EXPECT_EQ(record["predictions"][0]["index"],
                  timm["predictions"].at(file.lexically_relative(data() / "photos").native()));
    }
}

TEST_F(Evaluate, TakesFoldersNamedAsLabelsOrInOrder) {
    // "eight" is first in order, but the label decides.
    copy_sample("03_eight.png", "labels/eight/a.png");
    copy_sample("02_two.png", "labels/two/deeper/b.png");
    const Finished named = evaluate(path("labels"));
    EXPECT_EQ(named.status, 0) << named.err;
    EXPECT_THAT(named.out, HasSubstr("top-1         100.00 %  (2 of 2)\n"));

    const std::vector<std::string> samples{
        "06_zero.png", "16_one.png", "02_two.png",   "10_three.png", "05_four.png",
        "01_five.png", "12_six.png", "09_seven.png", "03_eight.png", "04_nine.png"};
    for (std::size_t i = 0; i < samples.size(); ++i)
        copy_sample(samples[i], "order/class" + std::to_string(i + 1) + "/a.png");
    const Finished ordered = evaluate(path("order"));
    EXPECT_EQ(ordered.status, 0) << ordered.err;
    EXPECT_THAT(ordered.out, HasSubstr("top-1         100.00 %  (10 of 10)\n"));
}

TEST_F(Evaluate, TakesAClassMap) {
    copy_sample("03_eight.png", "folders/acht/a.png");
    copy_sample("02_two.png", "folders/zwei/b.png");
    const std::string lines = write("lines.txt",
                                    "null\neins\nzwei\ndrei\nvier\nfuenf\nsechs\n"
                                    "sieben\nacht\nneun\n");
    const std::string pairs = write("pairs.txt", "zwei 2\r\nacht\t8\r\n\r\n");
    for (const std::string& map : {lines, pairs}) {
        const Finished done = evaluate(path("folders"), {"--class-map", map});
        EXPECT_EQ(done.status, 0) << done.err;
        EXPECT_THAT(done.out, HasSubstr("top-1         100.00 %  (2 of 2)\n"));
    }
    const std::string csv = samples_csv("file,label\n02_two.png,zwei\n03_eight.png,acht\n");
    EXPECT_THAT(evaluate(csv, {"--class-map", pairs}).out,
                HasSubstr("top-1         100.00 %  (2 of 2)\n"));
}

TEST_F(Evaluate, TakesACsvOfIndicesAndOtherColumns) {
    const std::string csv = samples_csv(
        "\xEF\xBB\xBFlabel,\"note\",file\r\n5,\"a, b\",01_five.png\r\n\r\n2,,02_two.png\r\n"
        "2,,03_eight.png\r\n");
    const Finished done = evaluate(csv);
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("top-1          66.67 %  (2 of 3)\n"));
    EXPECT_THAT(done.out, testing::ContainsRegex("\n +2  two +2   50.00 %  eight \\(1\\)\n"));
}

TEST_F(Evaluate, CountsRealLabelsAsTimmDoes) {
    const nlohmann::json real = expected("digits")["real"];
    std::string rows = "file,label\n";
    for (std::size_t i = 0; i < real["labels"].size(); ++i) {
        const std::string name = fmt::format("ILSVRC2012_val_{:08}.png", i + 1);
        fs::create_symlink(digits() / fmt::format("test/{:03}.png", i), path(name));
        rows += name + ",0\n";
    }
    const std::string csv = write("truth.csv", rows);
    const Finished done = evaluate(
        csv, {"--format", "json", "--real-labels", write("real.json", real["labels"].dump())});
    ASSERT_EQ(done.status, 0) << done.err;
    const nlohmann::json found = nlohmann::json::parse(done.out)["real"];
    EXPECT_NEAR(found["top1"], real["top1"].get<double>() / 100, 1e-9);
    EXPECT_NEAR(found["top5"], real["top5"].get<double>() / 100, 1e-9);
    EXPECT_LT(found["images"], 360);

    expect_error(evaluate(csv, {"--real-labels", write("few.json", "[[1], []]")}), 1,
                 "ILSVRC2012_val_00000001.JPEG to ILSVRC2012_val_00000002.JPEG, found "
                 "'ILSVRC2012_val_00000003.png'");
    for (const char* wrong : {"[[10]]", "[[-1]]", "[3]", "{}", "[[0.5]]", "no json", "[[\"1\"]]"})
        expect_error(evaluate(csv, {"--real-labels", write("wrong.json", wrong)}), 1,
                     "expected a list that has, for each image, a list of classes from 0 to 9");
    expect_error(evaluate(labels_csv(), {"--real-labels", write("one.json", "[[1]]")}), 1,
                 "found '000.png'");
}

TEST_F(Evaluate, GoesOnAfterAFileThatFails) {
    const std::string csv =
        samples_csv("file,label\n01_five.png,five\nmissing.png,two\n.,two\n02_two.png,two\n");
    const std::string records = path("records.jsonl");
    const Finished done = evaluate(csv, {"--format", "jsonl", "-o", records});
    EXPECT_EQ(done.status, 1);
    EXPECT_THAT(done.out, StartsWith("images        2, and 2 that failed and do not count\n"
                                     "top-1         100.00 %  (2 of 2)\n"));
    EXPECT_THAT(done.err, HasSubstr("vit-infer: error: 2 of 4 inputs failed (first: "));
    const auto lines = lines_of(read(records));
    ASSERT_EQ(lines.size(), 4u);
    EXPECT_FALSE(lines[1]["ok"]);
    EXPECT_FALSE(lines[2]["ok"]);

    const std::string none = write("none.csv", "file,label\nmissing.png,two\n");
    EXPECT_THAT(evaluate(none).out, HasSubstr("top-1           0.00 %  (0 of 0)\n"));
    EXPECT_TRUE(nlohmann::json::parse(evaluate(none, {"--format", "json"}).out)["top1"].is_null());
}

TEST_F(Evaluate, WritesTheConfusionMatrix) {
    const std::string csv = path("c.csv"), svg = path("c.SVG"), reliability = path("r.svg");
    ASSERT_EQ(evaluate(labels_csv(), {"--confusion", csv, "--reliability", reliability}).status, 0);
    ASSERT_EQ(evaluate(labels_csv(), {"--confusion", svg}).status, 0);
    EXPECT_THAT(read(csv), StartsWith("index,class,\"zero\",\"one\",\"two\",\"three\",\"four\","
                                      "\"five\",\"six\",\"seven\",\"eight\",\"nine\"\n"
                                      "0,\"zero\",35,0,0,0,1,0,0,0,0,0\n"));
    const auto confusion = expected("digits")["confusion"];
    std::istringstream rows(read(csv));
    std::string row;
    std::getline(rows, row);
    for (const auto& counts : confusion) {
        std::getline(rows, row);
        std::string numbers = counts.dump();
        EXPECT_THAT(row, testing::EndsWith("\"," + numbers.substr(1, numbers.size() - 2)));
    }
    EXPECT_THAT(read(svg), HasSubstr("<title>true zero, predicted four: 1 images (2.8 %)</title>"));
    EXPECT_THAT(read(reliability),
                HasSubstr("360 images, expected calibration error 8.48 % (15 bins)"));
}

TEST_F(Evaluate, ShowsAllClassesOnlyIfAsked) {
    // 10 classes are fewer than the limit, so both are the same.
    EXPECT_THAT(evaluate(labels_csv()).out,
                HasSubstr("\n     0  zero       36   97.22 %  four (1)\n"));
    EXPECT_EQ(evaluate(labels_csv(), {"--all-classes"}).status, 0);
}

TEST_F(Evaluate, RefusesASourceThatItCannotUse) {
    expect_error(evaluate(path("none")), 74, "there is no such file or folder");
    expect_error(evaluate(sample("01_five.png")), 1, "whose name ends with .csv");
    const auto csv = [&](const std::string& rows) { return evaluate(samples_csv(rows)); };
    expect_error(csv(""), 1, "expected a row for each image after the header");
    expect_error(csv("01_five.png,5\n"), 1, "expected a first row with the columns file and label");
    expect_error(csv("file,label\n"), 1, "expected a row for each image after the header");
    expect_error(csv("file,label\n01_five.png,fife\n"), 1,
                 "row 1: expected as label a label of the model, or in all rows an index from 0 to "
                 "9, found 'fife'");
    expect_error(csv("file,label\n01_five.png,5\n02_two.png,10\n"), 1, "row 2: expected as label");
    expect_error(csv("file,label\n01_five.png,-1\n"), 1, "found '-1'");
    expect_error(csv("file,label\n01_five.png,five\n02_two.png,2\n"), 1,
                 "row 1: expected as label");
    expect_error(csv("file,label\n01_five.png\n"), 1, "row 1: expected 2 fields, found 1");
    expect_error(csv("file,label\n,5\n"), 1, "row 1: expected the name of a file");
    expect_error(csv("file,label\n\"01\"x,5\n"), 1, "quotes begin and end a field");
    expect_error(csv("file,label\n\"01_five.png,5\n"), 1, "quotes begin and end a field");

    fs::create_directories(path("classes"));
    expect_error(evaluate(path("classes")), 1,
                 "expected a folder for each class, found no folders");
    copy_sample("01_five.png", "classes/five/a.png");
    copy_sample("02_two.png", "classes/zwei/b.png");
    expect_error(evaluate(path("classes")), 1,
                 "the folder 'zwei' is not a label of the model, but 1 of 2 folders are");
    fs::rename(path("classes/zwei"), path("classes/two"));
    fs::create_directories(path("classes/one"));
    expect_error(evaluate(path("classes")), 1, "the class folder 'one' is empty");
    fs::remove(path("classes/one"));
    copy_sample("03_eight.png", "classes/c.png");
    expect_error(evaluate(path("classes")), 1, "the image 'c.png' is outside the class folders");
    copy_sample("01_five.png", "other/a/a.png");
    copy_sample("01_five.png", "other/b/a.png");
    expect_error(evaluate(path("other")), 1,
                 "expected a folder for each of the 10 classes, or folders with the names of "
                 "labels, found 2 folders such as 'a'");

    const auto map = [&](const std::string& text) {
        return evaluate(path("other"), {"--class-map", write("map.txt", text)});
    };
    expect_error(map("a 0\n"), 1, "the folder 'b' is not in --class-map");
    expect_error(map("a 0\nb 10\n"), 1, "line 2: expected a class from 0 to 9, found 10");
    expect_error(map("a\na\n"), 1, "line 2: 'a' was named before");
    expect_error(map("a\n\nb\n"), 1, "line 2: expected the name of a class, found nothing");
    expect_error(map("\n"), 1, "line 1: expected a name of a class on each line, found none");
    expect_error(evaluate(path("other"), {"--class-map", path("none.txt")}), 74,
                 "cannot read the class map");
}

TEST_F(Evaluate, RefusesWrongOptions) {
    expect_error(infer({"--evaluate", labels_csv(), sample("01_five.png")}), 2,
                 "--evaluate SOURCE takes no other INPUT");
    for (const std::vector<std::string>& more : {std::vector<std::string>{"--shard", "1/2"},
                                                 {"--resume"},
                                                 {"--classes", path("text.npz")},
                                                 {"--attention", path("a.png")},
                                                 {"--occlusion", path("o.png")}})
        expect_error(evaluate(labels_csv(), more), 2, "vit-eval FILE.jsonl SOURCE");
    expect_error(evaluate(labels_csv(), {"--class-map", ""}), 2, "expected a file");
    expect_error(infer({sample("01_five.png"), "--confusion", path("c.csv")}), 2,
                 "need --evaluate SOURCE");
    expect_error(evaluate(labels_csv(), {"--confusion", path("c.png")}), 2,
                 "--confusion: expected a file whose name ends with .csv or .svg");
    expect_error(evaluate(labels_csv(), {"--reliability", path("c.csv")}), 2, ".svg");
    expect_error(
        evaluate(labels_csv(), {"--confusion", path("c.svg"), "--reliability", path("x/../c.svg")}),
        2, "is also an input");
    const std::string csv = samples_csv("file,label\n01_five.png,5\n");
    expect_error(evaluate(csv, {"--confusion", csv}), 2, "is also an input");
    expect_error(evaluate(labels_csv(), {"--confusion", path("no/such/folder/c.csv")}), 74,
                 "no/such/folder");
    const std::string headless = path("headless.vit");
    ASSERT_EQ(
        run({VIT_CONVERT, std::string(VIT_TEST_DATA) + "/timm/no_head", "-o", headless, "--quiet"})
            .status,
        0);
    expect_error(run({tool(), headless, "--evaluate", labels_csv()}), 3,
                 "expects a model with classes");
}

}  // namespace
}  // namespace vit::test
