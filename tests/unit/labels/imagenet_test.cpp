#include "tools/labels/imagenet.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/files.h"
#include "tools/common/sha256.h"

namespace vit::tools {
namespace {

TEST(ImageNetLabels, AreTimms) {
    const nlohmann::json golden =
        nlohmann::json::parse(test::read_all(VIT_TEST_DATA "/labels/imagenet.json"));
    EXPECT_EQ(golden["subsets"].size(), 6u);
    for (const nlohmann::json& subset : golden["subsets"]) {
        const auto classes = subset["classes"].get<std::int64_t>();
        SCOPED_TRACE(classes);
        const std::optional<ImageNetLabels> labels = imagenet_labels(classes);
        ASSERT_TRUE(labels);
        EXPECT_EQ(labels->subset, subset["name"].get<std::string>());
        ASSERT_EQ(labels->names.size(), static_cast<std::size_t>(classes));
        for (const auto& [index, name] : subset["some"].items())
            EXPECT_EQ(labels->names.at(std::stoul(index)), name.get<std::string>()) << index;
        std::string joined;
        for (const std::string& name : labels->names) joined += (joined.empty() ? "" : "\n") + name;
        EXPECT_EQ(sha256(test::as_bytes(joined)), subset["sha256"].get<std::string>());
    }
}

TEST(ImageNetLabels, AreForItsNumbersOfClassesAlone) {
    for (const std::int64_t classes : {-1, 0, 10, 999, 1001, 21844})
        EXPECT_FALSE(imagenet_labels(classes)) << classes;
}

}  // namespace
}  // namespace vit::tools
