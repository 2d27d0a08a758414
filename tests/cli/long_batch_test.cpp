// Tests runs with many images: order, memory, and what remains after an interrupt.
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "tests/cli/fixture.h"

namespace vit::test {
namespace {

using testing::HasSubstr;

class LongBatch : public InferTest {
  protected:
    /// Makes a folder with `count` links, which point to the samples in turn.
    std::string folder_of(int count) const {
        std::vector<std::filesystem::path> samples;
        for (const auto& entry : std::filesystem::directory_iterator(digits() / "samples"))
            samples.push_back(entry.path());
        std::sort(samples.begin(), samples.end());
        const std::filesystem::path folder = folder_ / ("of" + std::to_string(count));
        std::filesystem::create_directories(folder);
        for (int i = 0; i < count; ++i)
            std::filesystem::create_symlink(samples[static_cast<std::size_t>(i) % samples.size()],
                                            folder / (std::to_string(i) + ".png"));
        return folder;
    }

    static void read_lines(Running& running, int count) {
        for (int i = 0; i < count; ++i) ASSERT_THAT(running.read_line(), HasSubstr("\"ok\": true"));
    }

    /// The command line for 100,000 images. They take longer than the time until the signal.
    static std::vector<std::string> endless() {
        std::vector<std::string> arguments{tool(), model(), "--format", "jsonl"};
        for (int i = 0; i < 5000; ++i) arguments.push_back(digits() / "samples");
        return arguments;
    }
};

TEST_F(LongBatch, RecordsAndRowsStandInInputOrderBadOnesAmongThem) {
    std::string list;
    for (int i = 0; i < 60; ++i) {
        if (i % 7 == 3) list += write("text" + std::to_string(i) + ".png", "hello") + "\n";
        if (i % 11 == 0) list += path("none" + std::to_string(i) + ".png") + "\n";
        list += copy_sample(i % 2 == 0 ? "02_two.png" : "01_five.png", std::to_string(i) + ".png") +
                "\n";
    }
    const auto done_with = [&](const char* threads, const char* batch) {
        const Finished done = infer({"-", "--format", "jsonl", "-t", threads, "-b", batch,
                                     "--features", path("features.npy")},
                                    list);
        EXPECT_EQ(done.status, 1);
        return done;
    };
    const Finished reference = done_with("1", "1");
    const std::string rows = read(path("features.npy"));
    EXPECT_EQ(lines_of(reference.out).size(), 60u + 9u + 6u);
    for (const char* threads : {"1", "2", "3", "8"})
        for (const char* batch : {"2", "5", "64", "1000"}) {
            SCOPED_TRACE(std::string(threads) + " threads, batch " + batch);
            const Finished other = done_with(threads, batch);
            EXPECT_EQ(other.out, reference.out);
            EXPECT_EQ(other.err, reference.err);
            EXPECT_TRUE(read(path("features.npy")) == rows);
        }
}

TEST_F(LongBatch, MemoryDoesNotGrow) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "sanitizers keep what was freed";
#endif
    const std::string few = folder_of(200), many = folder_of(2000);
    std::string list;
    for (int i = 0; i < 300; ++i) list += sample("02_two.png") + "\n";

    Running running({tool(), model(), "-", "--format", "jsonl", "-t", "2"});
    running.write(few + "\n" + list);
    read_lines(running, 500);
    const long before = running.peak_kib();
    running.write(many + "\n");
    read_lines(running, 2000);
    for (int i = 0; i < 5; ++i) {
        running.write(list);
        read_lines(running, 300);
    }
    EXPECT_GT(before, 1000);
    EXPECT_LT(running.peak_kib() - before, 2000) << "KiB for 3,500 images more";
    EXPECT_EQ(running.finish().status, 0);
}

TEST_F(LongBatch, InterruptedLeavesWholeRecordsInOrder) {
    for (const auto& [signal, status] : {std::pair{SIGINT, 130}, {SIGTERM, 143}}) {
        Running running(endless());
        std::string first;
        for (int i = 0; i < 30; ++i) first += running.read_line() + "\n";
        std::this_thread::sleep_for(std::chrono::milliseconds(300));  // until the pipe is full
        running.signal(signal);
        const Finished done = running.finish();  // nobody reads the pipe before that
        EXPECT_EQ(done.status, status);
        ASSERT_FALSE(done.out.empty());
        EXPECT_EQ(done.out.back(), '\n');
        std::vector<std::string> files;
        for (const auto& record : lines_of(first + done.out)) {
            EXPECT_TRUE(record["ok"]);
            files.push_back(record["file"]);
        }
        ASSERT_GT(files.size(), 40u);
        EXPECT_TRUE(std::is_sorted(files.begin(), files.begin() + 20));
        EXPECT_TRUE(std::equal(files.begin() + 20, files.end(), files.begin())) << "not in order";
    }
}

TEST_F(LongBatch, InterruptedKeepsWholeRecords) {
    std::vector<std::string> arguments = endless();
    arguments.insert(arguments.end(), {"-o", path("out.jsonl"), "--logits", path("logits.npy")});
    Running running(arguments);
    wait_until([&] { return read(path("out.jsonl.part")).size() > 2000; });
    running.signal(SIGTERM);
    const Finished done = running.finish();
    EXPECT_EQ(done.status, 143);
    EXPECT_FALSE(std::filesystem::exists(path("out.jsonl")));
    EXPECT_FALSE(std::filesystem::exists(path("logits.npy")));
    const std::string part = read(path("out.jsonl.part"));
    ASSERT_FALSE(part.empty());
    EXPECT_EQ(part.back(), '\n');
    const auto records = lines_of(part);
    for (const auto& record : records) EXPECT_TRUE(record["ok"]);
    EXPECT_TRUE(std::filesystem::exists(path("logits.npy.part")));
}

TEST_F(LongBatch, InterruptedBeforeTheFirstRecordLeavesNoFile) {
    Running running({tool(), model(), "-", "--format", "jsonl", "-o", path("out.jsonl"), "--logits",
                     path("logits.npy")});
    wait_until([&] { return std::filesystem::exists(path("logits.npy.part")); });
    running.signal(SIGTERM);
    EXPECT_EQ(running.finish().status, 143);
    EXPECT_TRUE(std::filesystem::is_empty(folder_)) << "an unfinished file was left";
}

}  // namespace
}  // namespace vit::test
