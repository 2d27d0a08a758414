// Tests which inputs are accepted, and that a failed input does not affect the others.
#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "tests/cli/fixture.h"

namespace vit::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Inputs : public InferTest {
  protected:
    /// File names in the records, in order and relative to the test's folder.
    std::vector<std::string> files(const Finished& done) const {
        std::vector<std::string> names;
        for (const auto& record : lines_of(done.out)) {
            const std::string file = record["file"];
            names.push_back(file.starts_with(folder_.native())
                                ? file.substr(folder_.native().size() + 1)
                                : file);
        }
        return names;
    }
    static std::vector<std::string> labels(const Finished& done) {
        std::vector<std::string> found;
        for (const auto& record : lines_of(done.out))
            found.push_back(record["ok"] ? record["predictions"][0]["label"] : "error");
        return found;
    }
};

TEST_F(Inputs, AFolderIsWalkedInNaturalOrderTakingImagesOnly) {
    for (const char* name : {"in/img10.png", "in/img2.png", "in/img1.PNG", "in/b/x.png", "in/a.png",
                             "in/b2/x.png", "in/b10/x.png"})
        copy_sample("02_two.png", name);
    write("in/readme.txt", "no image");
    write("in/numbers.npy", "no image");
    const Finished done = infer({path("in"), "--format", "jsonl"});
    EXPECT_EQ(done.status, 0);
    EXPECT_THAT(files(done), ElementsAre("in/a.png", "in/b/x.png", "in/b2/x.png", "in/b10/x.png",
                                         "in/img1.PNG", "in/img2.png", "in/img10.png"));
}

TEST_F(Inputs, AFolderInBracketsIsAFolder) {
    copy_sample("02_two.png", "[2021,x]/a.png");
    std::filesystem::current_path(folder_);
    const Finished done = infer({"[2021,x]", "--format", "jsonl"});
    EXPECT_THAT(labels(done), ElementsAre("two"));
}

TEST_F(Inputs, AFolderWithoutImagesIsABadInput) {
    std::filesystem::create_directories(folder_ / "empty");
    const Finished done = infer({path("empty"), sample("02_two.png"), "--format", "jsonl"});
    EXPECT_EQ(done.status, 1);
    EXPECT_THAT(labels(done), ElementsAre("error", "two"));
    EXPECT_THAT(done.out, HasSubstr("no images"));
}

TEST_F(Inputs, ALoopOfLinksEnds) {
    copy_sample("02_two.png", "in/a.png");
    std::filesystem::create_directory_symlink("..", folder_ / "in/up");
    std::filesystem::create_symlink("a.png", folder_ / "in/b.png");
    const Finished done = infer({path("in"), "--format", "jsonl"});
    EXPECT_EQ(done.status, 0);
    EXPECT_THAT(files(done), ElementsAre("in/a.png", "in/b.png"));
}

TEST_F(Inputs, BadOnesAmongGoodOnesFailAlone) {
    const std::string whole = read(sample("02_two.png"));
    const std::string cut = write("cut.png", whole.substr(0, whole.size() / 2));
    const std::string text = write("text.jpg", "hello");
    const std::string empty = write("empty.png", "");
    const Finished done =
        infer({cut, sample("01_five.png"), text, empty, path("none.png"), digits() / "config.json",
               sample("02_two.png"), "--format", "jsonl", "-b", "3"});
    EXPECT_EQ(done.status, 1);
    EXPECT_THAT(labels(done),
                ElementsAre("error", "five", "error", "error", "error", "error", "two"));
    EXPECT_THAT(done.err, HasSubstr("5 of 7 inputs failed"));
    for (const auto& record : lines_of(done.out))
        if (!record["ok"]) {
            EXPECT_THAT(
                record["error"].get<std::string>(),
                HasSubstr(
                    std::filesystem::path(record["file"].get<std::string>()).filename().native()));
        }
}

TEST_F(Inputs, AListOnStandardInput) {
    const std::string newline = copy_sample("03_eight.png", "new\nline.png");
    const Finished lines =
        infer({"-", "--format", "jsonl"}, sample("01_five.png") + "\n\n" + sample("02_two.png"));
    EXPECT_EQ(lines.status, 0);
    EXPECT_THAT(labels(lines), ElementsAre("five", "two"));
    const Finished nul =
        infer({sample("04_nine.png"), "-", "--null", "--format", "jsonl"},
              newline + std::string(1, '\0') + sample("02_two.png") + std::string(1, '\0'));
    EXPECT_THAT(labels(nul), ElementsAre("nine", "eight", "two"));
}

TEST_F(Inputs, AListMayHaveTheLineEndsOfWindows) {
    const Finished done = infer({"-", "--format", "jsonl"},
                                sample("01_five.png") + "\r\n" + sample("02_two.png") + "\r\n");
    EXPECT_THAT(labels(done), ElementsAre("five", "two"));
}

TEST_F(Inputs, AnImageOnStandardInputIsNoList) {
    const Finished image = infer({"-"}, read(sample("01_five.png")));
    EXPECT_EQ(image.status, 2);
    EXPECT_EQ(image.out, "");
    EXPECT_THAT(image.err, HasSubstr("found the bytes of an image; name the image's file"));
    const Finished nul = infer({"-"}, sample("01_five.png") + std::string(1, '\0'));
    EXPECT_EQ(nul.status, 2);
    EXPECT_THAT(nul.err, HasSubstr("--null"));
}

TEST_F(Inputs, ImagesOfOtherFormatsInFoldersAreCounted) {
    copy_sample("02_two.png", "in/a.png");
    write("in/b.gif", "GIF89a");
    write("in/c.HEIC", "");
    write("in/notes.txt", "");
    const Finished done = infer({path("in"), "--format", "jsonl"});
    EXPECT_EQ(done.status, 0);
    EXPECT_THAT(files(done), ElementsAre("in/a.png"));
    EXPECT_THAT(done.err, HasSubstr("note: left out 2 images of formats other than JPEG, PNG and "
                                    "WebP, such as"));
    std::filesystem::remove(path("in/a.png"));
    const Finished none = infer({path("in"), "--format", "jsonl"});
    EXPECT_EQ(none.status, 1);
    EXPECT_THAT(none.out, HasSubstr("found 2 images of other formats, such as"));
}

TEST_F(Inputs, ImagesInATarFile) {
    for (const char* name : {"01_five.png", "02_two.png", "03_eight.png"}) {
        copy_sample(name, std::string("in/") + name);
        write(std::string("in/") + name + ".cls", "3");
    }
    ASSERT_EQ(
        run({"/usr/bin/env", "tar", "--sort=name", "-C", path("in"), "-cf", path("x.tar"), "."})
            .status,
        0);
    ASSERT_EQ(run({"/usr/bin/env", "gzip", "-k", path("x.tar")}).status, 0);
    const Finished folder = infer({path("in"), "--format", "jsonl"});
    for (const char* name : {"x.tar", "x.tar.gz"}) {
        const Finished done = infer({path(name), "--format", "jsonl"});
        EXPECT_EQ(done.status, 0) << done.err;
        const auto expected = lines_of(folder.out), found = lines_of(done.out);
        ASSERT_EQ(found.size(), 3u);
        for (std::size_t i = 0; i < 3; ++i)
            EXPECT_EQ(found[i]["predictions"], expected[i]["predictions"]);
        EXPECT_THAT(found[0]["file"].get<std::string>(), HasSubstr(std::string(name) + "/"));
        EXPECT_THAT(found[0]["file"].get<std::string>(), HasSubstr("01_five.png"));
    }
}

TEST_F(Inputs, ADamagedTarFileGivesItsFirstImagesAndAnError) {
    copy_sample("01_five.png", "in/1.png");
    copy_sample("02_two.png", "in/2.png");
    ASSERT_EQ(run({"/usr/bin/env", "tar", "--sort=name", "-C", path("in"), "-cf", path("x.tar"),
                   "1.png", "2.png"})
                  .status,
              0);
    // A member is a header of 512 bytes and blocks of 512 bytes.
    const auto first = 512 + (std::filesystem::file_size(path("in/1.png")) + 511) / 512 * 512;
    std::filesystem::resize_file(path("x.tar"), first + 600);
    write("text.tar", "no tar file");
    const Finished done = infer({path("x.tar"), path("text.tar"), path("none.tar"),
                                 sample("02_two.png"), "--format", "jsonl"});
    EXPECT_EQ(done.status, 1);
    EXPECT_THAT(labels(done), ElementsAre("five", "error", "error", "error", "two"));
}

TEST_F(Inputs, ASlowListIsAnsweredAsItComes) {
    Running running({tool(), model(), "-", "--format", "jsonl", "-b", "8"});
    for (const char* name : {"01_five.png", "02_two.png"}) {
        running.write(sample(name) + "\n");
        EXPECT_THAT(running.read_line(), HasSubstr(name));
    }
    copy_sample("03_eight.png", "in/1.png");
    copy_sample("04_nine.png", "in/2/2.png");
    running.write(path("in") + "\n");
    for (const char* name : {"in/1.png", "in/2/2.png"})
        EXPECT_THAT(running.read_line(), HasSubstr(name));
    EXPECT_EQ(running.finish().status, 0);
}

TEST_F(Inputs, InterruptedEndsWithTheSignalsStatus) {
    for (const auto& [signal, status] : {std::pair{SIGINT, 130}, {SIGTERM, 143}}) {
        Running running({tool(), model(), "-", "--format", "jsonl", "-o", path("out.jsonl")});
        running.write(sample("01_five.png") + "\n");
        wait_until([&] { return read(path("out.jsonl.part")).ends_with('\n'); });
        running.signal(signal);
        EXPECT_EQ(running.finish().status, status);
        EXPECT_THAT(read(path("out.jsonl.part")), HasSubstr("01_five.png"));
        EXPECT_FALSE(std::filesystem::exists(path("out.jsonl")));
        std::filesystem::remove(path("out.jsonl.part"));
    }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(Inputs, InterruptedEndsThoughAThreadHangs) {
    for (const auto& [signal, status] : {std::pair{SIGINT, 130}, {SIGTERM, 143}}) {
        const std::string hanging = copy_sample("01_five.png", "hang.png");
        Running running({"/usr/bin/env", "LD_PRELOAD=" VIT_HANG, tool(), model(), "-t", "2", "-o",
                         path("out.jsonl"), sample("02_two.png"), hanging});
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        running.signal(signal);
        EXPECT_EQ(running.finish().status, status);
        std::filesystem::remove(hanging);
        EXPECT_FALSE(std::filesystem::exists(path("out.jsonl")));
        std::filesystem::remove(path("out.jsonl.part"));
    }
}
#endif

}  // namespace
}  // namespace vit::test
