#include "weights/mappings/common/labels.h"

#include <gmock/gmock.h>

#include "vit/error.h"

namespace vit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string refused(const std::string& text, std::int64_t classes, ErrorKind kind) {
    try {
        parse_labels(text, "names.txt", classes);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), kind);
        return error.what();
    }
    return "accepted";
}

TEST(Labels, AreLinesOfText) {
    EXPECT_THAT(parse_labels("a\nb c\n", "", 2), ElementsAre("a", "b c"));
    EXPECT_THAT(parse_labels("a\r\nb", "", 2), ElementsAre("a", "b"));
    EXPECT_THAT(parse_labels("a\n\n\n", "", 1), ElementsAre("a"));
    EXPECT_THAT(parse_labels("a\n\nc", "", 3), ElementsAre("a", "", "c"));
    EXPECT_THAT(parse_labels("", "", 0), ElementsAre());
    EXPECT_THAT(parse_labels("é\n", "", 1), ElementsAre("é"));
}

TEST(Labels, AreJson) {
    EXPECT_THAT(parse_labels(" [\"a\", \"b\"]", "", 2), ElementsAre("a", "b"));
    EXPECT_THAT(parse_labels(R"({"1": "b"})", "", 3), ElementsAre("0", "b", "2"));
}

TEST(Labels, AreOnePerClass) {
    EXPECT_THAT(refused("a\nb\n", 3, ErrorKind::model), HasSubstr("names.txt: expected 3"));
    EXPECT_THAT(refused("a\nb\n", 1, ErrorKind::model), HasSubstr("found 2"));
    EXPECT_THAT(refused("[\"a\"]", 2, ErrorKind::model), HasSubstr("found 1"));
    EXPECT_THAT(refused("[\"a\"", 1, ErrorKind::format), HasSubstr("JSON"));
    EXPECT_THAT(refused("{\"-1\": \"a\"}", 1, ErrorKind::model), HasSubstr("'-1'"));
    EXPECT_THAT(refused("\xff\n", 1, ErrorKind::format), HasSubstr("UTF-8"));
}

}  // namespace
}  // namespace vit
