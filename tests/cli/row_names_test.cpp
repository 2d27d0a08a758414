// Tests the names file that vit-infer writes beside its arrays.
#include <gmock/gmock.h>

#include "tests/cli/fixture.h"

namespace vit::test {
namespace {

using testing::HasSubstr;

class RowNames : public InferTest {};

TEST_F(RowNames, AreTheInputsInRowOrder) {
    const std::string odd = copy_sample("02_two.png", "new\nline\x1b.png");
    const Finished done = infer({odd, path("none.png"), sample("01_five.png"), "--features",
                                 path("f.npy"), "--names", path("f.names"), "--format", "jsonl"});
    EXPECT_EQ(done.status, 1);
    EXPECT_EQ(read(path("f.names")), path("new\\nline\\x1b.png") + "\n" + path("none.png") + "\n" +
                                         sample("01_five.png") + "\n");
}

TEST_F(RowNames, NeedInputAndAFileOfTheirOwn) {
    Finished done = infer({"--info", "--names", path("f.names")});
    EXPECT_EQ(done.status, 2);
    EXPECT_THAT(done.err, HasSubstr("no INPUT was given"));
    done = infer({sample("01_five.png"), "--features", path("f"), "--names", path("f")});
    EXPECT_EQ(done.status, 2);
    EXPECT_THAT(done.err, HasSubstr("two outputs go to the same file"));
}

}  // namespace
}  // namespace vit::test
