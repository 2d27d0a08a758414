// Checks that the example in the README is the one that is compiled and run.
#include <gmock/gmock.h>

#include "tests/cli/fixture.h"

namespace vit::test {
namespace {

class Readme : public InferTest {};

TEST_F(Readme, ShowsTheExampleAsItIs) {
    const std::filesystem::path root(VIT_SOURCE_DIR);
    const std::string readme = read(root / "README.md");
    const std::string example = read(root / "examples/classify.cpp");
    ASSERT_NE(example, "");
    EXPECT_NE(readme.find("```cpp\n" + example + "```"), std::string::npos)
        << "README.md: expected examples/classify.cpp between ```cpp and ```";
    EXPECT_LE(std::count(example.begin(), example.end(), '\n'), 40);
}

TEST_F(Readme, ExampleClassifies) {
    const Finished done = run({VIT_EXAMPLE, model(), sample("01_five.png")});
    EXPECT_EQ(done.status, 0);
    EXPECT_THAT(done.out, testing::MatchesRegex(" *[0-9.]+ %  five\n( *[0-9.]+ %  [a-z]+\n){2}"));
    EXPECT_EQ(run({VIT_EXAMPLE, model(), path("none.png")}).status, 1);
    EXPECT_EQ(run({VIT_EXAMPLE}).status, 2);
}

}  // namespace
}  // namespace vit::test
