#include "engine/model/json_text.h"

#include <gmock/gmock.h>

#include "vit/error.h"

namespace vit {
namespace {

using testing::HasSubstr;

std::string nested(int levels, const std::string& open, const std::string& close) {
    std::string text;
    for (int i = 0; i < levels; ++i) text += open;
    text += '1';
    for (int i = 0; i < levels; ++i) text += close;
    return text;
}

void expect_refused(const std::string& text, const std::string& words) {
    try {
        parse_json(text, "config.json");
        FAIL() << text.substr(0, 40);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::format);
        EXPECT_THAT(error.what(), testing::StartsWith("config.json: "));
        EXPECT_THAT(error.what(), HasSubstr(words));
    }
}

// Values with such depths once crashed the code that printed, copied or destroyed them.
TEST(ParseJson, RefusesWhatIsNestedTooDeep) {
    for (const int levels : {most_json_levels + 1, 70000, 1000000}) {
        expect_refused(nested(levels, "[", "]"), "nested more than 100 deep");
        expect_refused(nested(levels, "{\"a\":", "}"), "nested more than 100 deep");
        expect_refused(std::string(static_cast<std::size_t>(levels) + 1, '['), "nested");
    }
    EXPECT_NO_THROW(parse_json(nested(most_json_levels, "[", "]"), "config.json"));
    EXPECT_NO_THROW(parse_json(nested(most_json_levels, "{\"a\":", "}"), "config.json"));
}

TEST(ParseJson, RefusesWhatIsNotOneValue) {
    expect_refused("", "not valid JSON");
    expect_refused("{\"a\": 1} {", "not valid JSON at byte 10");
    expect_refused("[1e999]", "out of range");
    expect_refused(std::string("{}\0{\"depth\": 2}", 15), "not valid JSON at byte 3: a NUL");
}

}  // namespace
}  // namespace vit
