#include "tools/common/class_folders.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/support/files.h"

namespace vit::tools {
namespace {

using Classes = std::vector<std::int64_t>;

TEST(ClassFolders, AreInTimmsOrder) {
    const auto golden =
        nlohmann::json::parse(test::read_all(VIT_TEST_DATA "/evaluation/expected.json"));
    const std::vector<std::string> expected = golden["folder_order"];
    ASSERT_GT(expected.size(), 20u);
    // "a1" and "A1" are equal for timm, so their order is that of the list that it sorts.
    const auto shown = [](std::vector<std::string> names) {
        for (std::string& name : names)
            if (name == "A1") name = "a1";
        return names;
    };
    std::vector<std::string> names = expected;
    std::ranges::reverse(names);
    std::ranges::sort(names, class_folder_less);
    EXPECT_EQ(shown(names), shown(expected));
    for (const std::string& each : names) EXPECT_FALSE(class_folder_less(each, each)) << each;
}

TEST(ClassFolders, AreListedWithoutFiles) {
    const test::Folder folder;
    for (const char* name : {"b", "a10", "a9"}) std::filesystem::create_directory(folder / name);
    test::write_all(folder / "file.png", "");
    EXPECT_THAT(class_folders(folder.path()), testing::ElementsAre("a9", "a10", "b"));
    EXPECT_THROW(class_folders(folder / "none"), std::filesystem::filesystem_error);
}

TEST(ClassFolders, AreLabelsOrTheirPositions) {
    const std::vector<std::string> labels{"cat", "ant", "dog"};
    const auto classes = [&](std::vector<std::string> names) {
        return classes_of_folders(names, labels, 3);
    };
    EXPECT_EQ(classes({"ant", "cat", "dog"}), Classes({1, 0, 2}));
    EXPECT_EQ(classes({"ant", "dog"}), Classes({1, 2}));
    EXPECT_EQ(classes({"ant", "cat", "emu"}), Classes({0, 1, 2}));
    EXPECT_EQ(classes({"ant", "emu"}), std::nullopt);
    EXPECT_EQ(classes_of_folders(std::vector<std::string>{"x", "y"}, {}, 2), Classes({0, 1}));
}

}  // namespace
}  // namespace vit::tools
