#include "tools/evaluation/report.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace vit::tools {
namespace {

using testing::HasSubstr;
using testing::Not;

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++found;
    return found;
}

/// `classes` classes, of which each has ten images. Class 2 i is taken for 2 i + 1, the more often
/// the larger i is.
Report report_of(std::int64_t classes) {
    Report report;
    report.classes.count = classes;
    for (std::int64_t i = 0; i < classes; ++i)
        report.classes.labels.push_back("name of " + std::to_string(i));
    report.tally = make_tally(classes, false);
    for (std::int64_t i = 0; i < classes; ++i)
        for (std::int64_t n = 0; n < 10; ++n) {
            const bool wrong = i % 2 == 0 && i + 1 < classes && n < 10 * i / classes;
            add_result(report.tally, {{wrong ? i + 1 : i}, 0.9, -0.1}, i);
        }
    return report;
}

TEST(TextReport, HasTwentyRowsAtMost) {
    const Report report = report_of(100);
    // A class occurs in a row of its own, and in the column of confusions.
    const auto rows = [&](const std::string& text) {
        return count(text, "  name of ") - count(text, "%  name of ");
    };
    EXPECT_EQ(rows(text_report(report, false)), 20u);
    EXPECT_THAT(text_report(report, false),
                HasSubstr("the 20 classes with the lowest accuracy of 100"));
    EXPECT_EQ(rows(text_report(report, true)), 100u);
    EXPECT_THAT(text_report(report_of(20), false), Not(HasSubstr("--all-classes")));
}

TEST(TextReport, KeepsColumnsStraightForEveryLabel) {
    Report report = report_of(3);
    report.classes.labels = {"Straße\x1b[31m", "日本", std::string(200, 'x') + "\n"};
    const std::string text = text_report(report, false);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_THAT(text, HasSubstr("Straße\\x1b[31m                        10"));
    EXPECT_THAT(text, HasSubstr("日本                                  10"));
    EXPECT_THAT(text, HasSubstr(std::string(31, 'x') + "…      10"));
}

TEST(JsonReport, IsValidWithoutImages) {
    Report report;
    report.classes.count = 2;
    report.tally = make_tally(2, true);
    report.tally.failed = 3;
    const auto json = nlohmann::json::parse(json_report(report));
    EXPECT_EQ(json["images"], 0);
    EXPECT_EQ(json["failed"], 3);
    for (const char* key : {"top1", "top5", "nll", "ece", "class_mean_top1"})
        EXPECT_TRUE(json[key].is_null()) << key;
    EXPECT_THAT(text_report(report, true), HasSubstr("images        0, and 3 that failed"));
    EXPECT_THAT(reliability_svg(report), HasSubstr("0 images"));
    EXPECT_THAT(confusion_svg(report), HasSubstr("of 0 images"));
}

TEST(ConfusionSvg, ShowsTheMostFrequentConfusionsOfManyClasses) {
    const std::string few = confusion_svg(report_of(50));
    EXPECT_THAT(few, Not(HasSubstr("all others")));
    EXPECT_EQ(count(few, ">name of 7<"), 2u);  // row and column
    const std::string many = confusion_svg(report_of(1000));
    EXPECT_THAT(many, HasSubstr("the 40 of 1000 classes with the most frequent confusions"));
    EXPECT_EQ(count(many, ">all others<"), 2u);
    EXPECT_THAT(many, Not(HasSubstr(">name of 0<")));
    EXPECT_LT(many.size(), 100'000u);
}

TEST(ConfusionSvg, EscapesLabels) {
    Report report = report_of(2);
    report.classes.labels = {"<a href=\"x\">&", "b\x01\xff"};
    const std::string svg = confusion_svg(report);
    EXPECT_THAT(svg, HasSubstr("&lt;a href=&quot;x&quot;&gt;&amp;"));
    EXPECT_THAT(svg, HasSubstr("b\\x01\\xff"));
    EXPECT_THAT(svg, Not(HasSubstr("<a ")));
}

TEST(ConfusionCsv, HasARowForEveryClass) {
    Report report = report_of(3);
    report.classes.labels = {"a,\"b\"", "c", "d"};
    EXPECT_EQ(confusion_csv(report),
              "index,class,\"a,\"\"b\"\"\",\"c\",\"d\"\n0,\"a,\"\"b\"\"\",10,0,0\n1,\"c\",0,10,0\n"
              "2,\"d\",0,0,10\n");
}

}  // namespace
}  // namespace vit::tools
