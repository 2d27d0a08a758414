// Runs every input of the committed corpus through its fuzz target. Faults that a fuzzer once found
// cannot come back unnoticed.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/targets.h"

namespace vit::fuzz {
namespace {

class Replay : public testing::TestWithParam<Target> {};

TEST_P(Replay, Corpus) {
    const std::filesystem::path folder =
        std::filesystem::path(VIT_TEST_DATA) / "fuzz" / GetParam().name;
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        SCOPED_TRACE(entry.path());
        std::ifstream in(entry.path(), std::ios::binary);
        ASSERT_TRUE(in);
        // The vector has exactly this size, so that a sanitizer notices any read past its end.
        const std::vector<char> bytes{std::istreambuf_iterator<char>(in),
                                      std::istreambuf_iterator<char>()};
        GetParam().run(std::as_bytes(std::span(bytes)));
        ++count;
    }
    EXPECT_GT(count, 0u);
}

INSTANTIATE_TEST_SUITE_P(All, Replay, testing::ValuesIn(targets),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace vit::fuzz
