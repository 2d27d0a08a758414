#include "tools/evaluation/ground_truth.h"

#include <gmock/gmock.h>

#include "tests/support/files.h"

namespace vit::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class GroundTruthTest : public testing::Test {
  protected:
    void image(const std::string& name) const {
        std::filesystem::create_directories((folder / name).parent_path());
        test::write_all(folder / name, "");
    }
    std::filesystem::path csv(std::string_view text) const {
        test::write_all(folder / "truth.csv", text);
        return folder / "truth.csv";
    }

    test::Folder folder;
};

ClassNames imagenet() {
    return {1000, std::vector<std::string>(1000, "some label"), true};
}

TEST_F(GroundTruthTest, KnowsTheFoldersOfImageNet) {
    image("n01440764/a.JPEG");
    image("n15075141/b.JPEG");
    image("n02123045/c.JPEG");
    ClassNames classes = imagenet();
    const GroundTruth truth = read_ground_truth(folder.path(), classes, {});
    EXPECT_THAT(truth.classes, ElementsAre(0, 281, 999));
    EXPECT_EQ(truth.files[1], folder / "n02123045/c.JPEG");

    image("n00000001/d.JPEG");
    EXPECT_THAT(
        test::message_of([&] { read_ground_truth(folder.path(), classes, {}); }, ErrorKind::input),
        HasSubstr("'n00000001' is not one of ImageNet's 1000 synsets"));
}

TEST_F(GroundTruthTest, FollowsLinksToClassFolders) {
    const test::Folder elsewhere;
    std::filesystem::create_directory(elsewhere / "deeper");
    test::write_all(elsewhere / "deeper/a.png", "");
    image("dog/b.png");
    std::filesystem::create_directory_symlink(elsewhere.path(), folder / "cat");
    ClassNames classes{2, {"dog", "cat"}, true};
    const GroundTruth truth = read_ground_truth(folder.path(), classes, {});
    EXPECT_THAT(truth.files, ElementsAre((folder / "cat/deeper/a.png").native(),
                                         (folder / "dog/b.png").native()));
    EXPECT_THAT(truth.classes, ElementsAre(1, 0));
}

TEST_F(GroundTruthTest, RefusesALabelThatTwoClassesHave) {
    ClassNames classes{3, {"crane", "dog", "crane"}, true};
    const auto path = csv("file,label\na.png,crane\n");
    EXPECT_THAT(test::message_of([&] { read_ground_truth(path, classes, {}); }, ErrorKind::input),
                HasSubstr("'crane' is the label of both class 0 and class 2"));
}

TEST_F(GroundTruthTest, PrefersLabelsToIndices) {
    ClassNames digits{3, {"2", "0", "1"}, true};
    EXPECT_THAT(read_ground_truth(csv("file,label\na.png,2\nb.png,0\n"), digits, {}).classes,
                ElementsAre(0, 1));
    ClassNames from_one{3, {"1", "2", "3"}, true};
    // 0 is no label, so all are indices.
    EXPECT_THAT(read_ground_truth(csv("file,label\na.png,0\nb.png,1\n"), from_one, {}).classes,
                ElementsAre(0, 1));
}

TEST_F(GroundTruthTest, FindsFilesBesideTheCsv) {
    ClassNames classes{2, {}, true};
    const GroundTruth truth = read_ground_truth(
        csv("file,label\n\"a, \"\"b\"\".png\",1\n/x/c.png,0\n\"new\nline.png\",1\n"), classes, {});
    EXPECT_THAT(truth.files, ElementsAre((folder / "a, \"b\".png").native(), "/x/c.png",
                                         (folder / "new\nline.png").native()));
    EXPECT_THAT(truth.classes, ElementsAre(1, 0, 1));
    EXPECT_EQ(truth.base, folder.path());
}

TEST_F(GroundTruthTest, AddsClassesThatRecordsLack) {
    ClassNames classes{2, {"", "dog"}, false};
    EXPECT_THAT(read_ground_truth(csv("file,label\na.png,4\nb.png,1\n"), classes, {}).classes,
                ElementsAre(4, 1));
    EXPECT_EQ(classes.count, 5);
    EXPECT_EQ(label_of(classes, 1), "dog");
    EXPECT_EQ(label_of(classes, 0), "0");
    EXPECT_EQ(label_of(classes, 4), "4");
}

}  // namespace
}  // namespace vit::tools
