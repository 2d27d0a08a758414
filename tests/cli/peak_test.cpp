// Tests the peak speeds with which vit-bench and --profile compare.
#include "tools/common/peak.h"

#include <gmock/gmock.h>

#include <optional>
#include <thread>

#include "tools/common/peak_loops.h"

namespace vit::tools {
namespace {

TEST(Peak, IsOfTheInstructionThatThePrecisionRunsOn) {
    for (const char* isa : {"baseline", "avx2", "avx512", "amx"})
        EXPECT_EQ(arithmetic_of(Precision::f32, isa), Arithmetic::f32) << isa;
    EXPECT_EQ(arithmetic_of(Precision::bf16, "avx512"), Arithmetic::bf16);
    EXPECT_EQ(arithmetic_of(Precision::bf16, "amx"), Arithmetic::bf16_tiles);
    EXPECT_EQ(arithmetic_of(Precision::int8, "avx2"), Arithmetic::int8);
    EXPECT_EQ(arithmetic_of(Precision::int8, "amx"), Arithmetic::int8_tiles);
}

TEST(Peak, IsThereOrSaysWhyNot) {
    EXPECT_EQ(why_no_peak(Arithmetic::f32), "");
    for (const Arithmetic each : {Arithmetic::f32, Arithmetic::bf16, Arithmetic::bf16_tiles,
                                  Arithmetic::int8, Arithmetic::int8_tiles}) {
        const std::optional<double> peak = measure_peak(each, 1);
        EXPECT_EQ(peak.has_value(), why_no_peak(each).empty()) << instruction_name(each);
        EXPECT_GT(peak.value_or(2), 1.0) << instruction_name(each);
    }
}

/// Few rounds, because this also runs on emulators. The second thread checks that the permission to
/// use tiles holds for all threads.
TEST(Peak, OfTilesCountsTheWorkOfItsProducts) {
    const LoopOrWhyNot found = bf16_tile_loop();
    if (found.loop == nullptr) {
        ASSERT_THAT(found.why_not, testing::HasSubstr("AMX"));
        GTEST_SKIP() << found.why_not;
    }
    const double product = 2.0 * 16 * 16 * 32;
    double here = 0, there = 0;
    here = found.loop(100);
    std::jthread([&] { there = found.loop(50); }).join();
    EXPECT_EQ(here, 100 * 4 * product);
    EXPECT_EQ(there, 50 * 4 * product);
    EXPECT_EQ(int8_tile_loop().loop(100), 2 * 100 * 4 * product);
}

}  // namespace
}  // namespace vit::tools
