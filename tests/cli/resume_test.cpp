// Tests runs that are continued, and runs that are split over processes.
#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>

#include "tests/cli/fixture.h"

namespace vit::test {
namespace {

using testing::HasSubstr;

class Resume : public InferTest {
  protected:
    static std::string list(std::size_t count) {
        std::string text;
        std::vector<std::filesystem::path> files;
        for (const auto& entry : std::filesystem::directory_iterator(digits() / "samples"))
            files.push_back(entry.path());
        std::sort(files.begin(), files.end());
        for (std::size_t i = 0; i < count; ++i) text += files[i].native() + "\n";
        return text;
    }

    std::vector<std::string> outputs(const std::string& name) const {
        return {"-",
                "-o",
                path(name + ".jsonl"),
                "--features",
                path(name + ".npy"),
                "--names",
                path(name + ".names")};
    }

    /// Interrupts a run after `count` inputs.
    void interrupt_after(std::size_t count, const std::string& name) const {
        std::vector<std::string> arguments = outputs(name);
        arguments.insert(arguments.begin(), {tool(), model()});
        Running running(arguments);
        running.write(list(count));
        wait_until([&] {
            return std::ranges::count(read(path(name + ".jsonl.part")), '\n') ==
                   static_cast<std::ptrdiff_t>(count);
        });
        running.signal(SIGINT);
        EXPECT_EQ(running.finish().status, 130);
    }
};

TEST_F(Resume, GivesWhatOneRunGives) {
    ASSERT_EQ(infer(outputs("whole"), list(20)).status, 0);
    interrupt_after(7, "parts");
    // A killed process may leave half a record, and a row more than records.
    std::ofstream(path("parts.jsonl.part"), std::ios::app) << R"({"file": "half)";
    std::ofstream(path("parts.names.part"), std::ios::app) << "half";
    std::vector<std::string> arguments = outputs("parts");
    const Finished anew = infer(arguments, list(20));
    EXPECT_EQ(anew.status, 2);
    EXPECT_THAT(anew.err, HasSubstr("--resume"));
    arguments.emplace_back("--resume");
    const Finished resumed = infer(arguments, list(20));
    EXPECT_EQ(resumed.status, 0) << resumed.err;
    EXPECT_EQ(read(path("parts.jsonl")), read(path("whole.jsonl")));
    EXPECT_EQ(read(path("parts.npy")), read(path("whole.npy")));
    EXPECT_EQ(read(path("parts.names")), read(path("whole.names")));
    EXPECT_FALSE(std::filesystem::exists(path("parts.jsonl.part")));
    EXPECT_FALSE(std::filesystem::exists(path("parts.npy.part")));
}

TEST_F(Resume, KeepsWhatEveryOutputHas) {
    ASSERT_EQ(infer(outputs("whole"), list(20)).status, 0);
    interrupt_after(7, "parts");
    std::filesystem::resize_file(path("parts.npy.part"), 192 + 3 * 96 * 4 + 5);  // three rows
    std::vector<std::string> arguments = outputs("parts");
    arguments.emplace_back("--resume");
    EXPECT_EQ(infer(arguments, list(20)).status, 0);
    EXPECT_EQ(read(path("parts.jsonl")), read(path("whole.jsonl")));
    EXPECT_EQ(read(path("parts.npy")), read(path("whole.npy")));
    EXPECT_EQ(read(path("parts.names")), read(path("whole.names")));
}

TEST_F(Resume, RefusesOtherInputs) {
    interrupt_after(4, "parts");
    std::vector<std::string> arguments = outputs("parts");
    arguments.emplace_back("--resume");
    const Finished other = infer(arguments, sample("20_two.png") + "\n" + list(8));
    EXPECT_EQ(other.status, 2);
    EXPECT_THAT(other.err, HasSubstr("the inputs are not those of the earlier run"));
    const Finished fewer = infer(arguments, list(3));
    EXPECT_EQ(fewer.status, 2);
    // Nothing was lost.
    EXPECT_EQ(infer(arguments, list(8)).status, 0);
    EXPECT_EQ(lines_of(read(path("parts.jsonl"))).size(), 8u);
}

TEST_F(Resume, RefusesAFileOfSomethingElse) {
    write("x.jsonl.part", "hello\n");
    const Finished done = infer({sample("01_five.png"), "-o", path("x.jsonl"), "--resume"});
    EXPECT_EQ(done.status, 1);
    EXPECT_THAT(done.err, HasSubstr("found something else in line 1"));
    EXPECT_EQ(read(path("x.jsonl.part")), "hello\n");
}

TEST_F(Resume, BeginsAnewWhereThereIsNothing) {
    EXPECT_EQ(infer({sample("01_five.png"), "-o", path("x.jsonl"), "--resume"}).status, 0);
    EXPECT_EQ(lines_of(read(path("x.jsonl"))).size(), 1u);
}

TEST_F(Resume, DoesNothingAfterARunThatHasEnded) {
    const std::vector<std::string> arguments{sample("01_five.png"), "-o", path("x.jsonl"),
                                             "--resume"};
    ASSERT_EQ(infer(arguments).status, 0);
    const auto written = std::filesystem::last_write_time(path("x.jsonl"));
    const Finished again = infer(arguments);
    EXPECT_EQ(again.status, 0);
    EXPECT_THAT(again.err, HasSubstr("nothing to continue"));
    EXPECT_EQ(std::filesystem::last_write_time(path("x.jsonl")), written);
}

TEST_F(Resume, ShardsTogetherAreAllInputs) {
    const auto all = lines_of(infer({digits() / "samples", "--format", "jsonl"}).out);
    std::vector<nlohmann::json> found(all.size());
    for (std::size_t shard = 0; shard < 3; ++shard) {
        const auto records = lines_of(infer({digits() / "samples", "--format", "jsonl", "--shard",
                                             std::to_string(shard + 1) + "/3"})
                                          .out);
        for (std::size_t i = 0; i < records.size(); ++i) found.at(3 * i + shard) = records[i];
    }
    EXPECT_EQ(found, std::vector<nlohmann::json>(all.begin(), all.end()));
}

}  // namespace
}  // namespace vit::test
