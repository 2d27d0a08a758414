#include "engine/base/checked.h"

#include "support.h"

namespace vit {
namespace {

using test::message_of;
using testing::HasSubstr;

TEST(Checked, MemoryThatIsNotThereIsAnErrorWithAPlace) {
    EXPECT_EQ(checked::bytes(3, "x").size(), 3u);
    EXPECT_TRUE(checked::bytes(0, "x").empty());
    for (const std::uint64_t size : {UINT64_MAX, std::uint64_t{1} << 62, std::uint64_t{1} << 55})
        EXPECT_THAT(message_of([&] { checked::bytes(size, "tensor 'w'"); }, ErrorKind::memory),
                    HasSubstr("tensor 'w': not enough memory for"));
}

}  // namespace
}  // namespace vit
