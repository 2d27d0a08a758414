#include "engine/base/cgroup.h"

#include <gmock/gmock.h>

#include <cmath>

namespace vit {
namespace {

std::vector<std::string> folders(std::string_view text) {
    std::vector<std::string> out;
    for (const CpuGroup& group : cpu_groups(text))
        out.push_back((group.version_2 ? "2:" : "1:") + group.folder);
    return out;
}

TEST(Cgroup, NamesTheGroupAndItsParents) {
    using testing::ElementsAre;
    EXPECT_THAT(folders(""), ElementsAre("2:", "1:/cpu"));
    EXPECT_THAT(folders("0::/\n"), ElementsAre("2:", "1:/cpu"));
    EXPECT_THAT(folders("0::/user.slice/a.scope\n"),
                ElementsAre("2:", "1:/cpu", "2:/user.slice/a.scope", "2:/user.slice"));
    EXPECT_THAT(folders("5:cpuset:/x\n4:cpu,cpuacct:/docker/ab\n3:cpuacct:/y\n0::/"),
                ElementsAre("2:", "1:/cpu", "1:/cpu/docker/ab", "1:/cpu/docker"));
}

// Such a path once made Model::load throw.
TEST(Cgroup, TakesColonsInPaths) {
    EXPECT_THAT(folders("0::/a:b\n"), testing::ElementsAre("2:", "1:/cpu", "2:/a:b"));
    EXPECT_THAT(folders("0::/a/b:c/d\n"),
                testing::ElementsAre("2:", "1:/cpu", "2:/a/b:c/d", "2:/a/b:c", "2:/a"));
    EXPECT_THAT(folders("2:cpu:/kube:pod/x:y\n"),
                testing::ElementsAre("2:", "1:/cpu", "1:/cpu/kube:pod/x:y", "1:/cpu/kube:pod"));
}

TEST(Cgroup, LeavesOutWhatMakesNoSense) {
    for (const char* text :
         {":", "::", "0:", "0:x", "0::", "0::a/b", "\n\n", "0:cpu", "x", "1::/a"})
        EXPECT_THAT(folders(text), testing::ElementsAre("2:", "1:/cpu")) << text;
    std::string deep = "0::";
    for (int i = 0; i < 100'000; ++i) deep += "/a";
    EXPECT_LE(cpu_groups(deep).size(), 1000u);
}

TEST(Cgroup, ReadsQuotas) {
    EXPECT_EQ(cpus_of_max("150000 100000\n"), 1.5);
    EXPECT_EQ(cpus_of_max("max 100000\n"), HUGE_VAL);
    EXPECT_EQ(cpus_of_quota("50000\n", "100000\n"), 0.5);
    EXPECT_EQ(cpus_of_quota("-1\n", "100000\n"), HUGE_VAL);
    for (const char* text : {"", "max", "100000", "0 100000", "100000 0", "-5 5", "nan nan",
                             "inf 1", "1 inf", "1e999 1", "1x 2", "x"})
        EXPECT_EQ(cpus_of_max(text), HUGE_VAL) << text;
}

}  // namespace
}  // namespace vit
