#include "tools/pictures/svg.h"

#include <gmock/gmock.h>

namespace vit::pictures {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Svg, IsOneElementOnWhitePaper) {
    Svg svg(20, 10, "a <b>");
    svg.rect(1, 2, 3, 4, colour::blue, 0.5, "tip & more");
    svg.line(0, 0, 5, 5, colour::text, 2, true);
    svg.text(1, 1, "\"x\"", {8, "end", colour::faint, true, -90});
    const std::string out = std::move(svg).finish();
    EXPECT_THAT(out, StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 20 10\""));
    EXPECT_THAT(out, EndsWith("</svg>\n"));
    EXPECT_THAT(out, HasSubstr("<title>a &lt;b&gt;</title>\n<rect x=\"0.0\" y=\"0.0\" "
                               "width=\"20.0\" height=\"10.0\" fill=\"#ffffff\"/>"));
    EXPECT_THAT(out, HasSubstr("fill-opacity=\"0.500\"><title>tip &amp; more</title></rect>"));
    EXPECT_THAT(out, HasSubstr("stroke-dasharray="));
    EXPECT_THAT(out, HasSubstr("font-weight=\"bold\" transform=\"rotate(-90 1.0 1.0)\">&quot;x"));
}

TEST(Svg, ShortensTextByCharacters) {
    EXPECT_EQ(shortened("abc", 3), "abc");
    EXPECT_EQ(shortened("abcd", 3), "ab…");
    EXPECT_EQ(shortened("äöüß", 4), "äöüß");
    EXPECT_EQ(shortened("äöüßx", 4), "äöü…");
    EXPECT_EQ(shortened("\xff\xfe\xfd", 2), "\xff…");
    EXPECT_EQ(shortened("", 2), "");
}

}  // namespace
}  // namespace vit::pictures
