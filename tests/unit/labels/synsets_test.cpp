#include "tools/labels/synsets.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/files.h"

namespace vit::tools {
namespace {

TEST(ImageNetSynsets, AreInTimmsOrder) {
    const nlohmann::json golden =
        nlohmann::json::parse(test::read_all(VIT_TEST_DATA "/labels/imagenet.json"));
    EXPECT_EQ(golden["synsets"].size(), 10u);
    for (const auto& [synset, index] : golden["synsets"].items())
        EXPECT_EQ(imagenet_synset_class(synset), index.get<std::int64_t>()) << synset;
    for (const char* other : {"", "n", "n00000000", "n99999999", "n0144076", "n014407640", "\n"})
        EXPECT_EQ(imagenet_synset_class(other), std::nullopt) << other;
}

}  // namespace
}  // namespace vit::tools
