#include "engine/executor/balance.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace vit {
namespace {

/// The seconds that threads with these speeds (rows a second) need.
std::vector<double> seconds(std::int64_t rows, const Shares& shares, std::vector<double> speeds) {
    for (int t = 0; t < shares.threads(); ++t) {
        double& s = speeds[static_cast<std::size_t>(t)];
        s = static_cast<double>(owned_rows(rows, shares, t).count()) / s;
    }
    return speeds;
}

/// The shares after a number of runs, and how often they changed.
struct After {
    Shares shares;
    int changes = 0;
};

After after(int runs, std::int64_t rows, const std::vector<double>& speeds) {
    After a{Shares(static_cast<int>(speeds.size()))};
    Balance balance(rows, a.shares.threads());
    for (int i = 0; i < runs; ++i) {
        if (const auto better = balance.better(a.shares)) {
            a.shares = *better;
            ++a.changes;
        }
        balance.add(seconds(rows, a.shares, speeds), a.shares);
    }
    return a;
}

double longest(std::int64_t rows, const After& a, const std::vector<double>& speeds) {
    const std::vector<double> s = seconds(rows, a.shares, speeds);
    return *std::max_element(s.begin(), s.end());
}

TEST(Balance, GivesFasterThreadsMoreRows) {
    for (const std::vector<double>& speeds : std::vector<std::vector<double>>{
             {1000, 600}, {500, 1000}, {1000, 1000, 600, 600}, {900, 1000, 1000, 1000}}) {
        const After a = after(100, 1000, speeds);
        double sum = 0;
        for (double s : speeds) sum += s;
        EXPECT_LT(longest(1000, a, speeds), 1.02 * 1000 / sum);
        EXPECT_LE(a.changes, 2);
        EXPECT_GE(a.changes, 1);
    }
}

TEST(Balance, LeavesEqualThreadsAlone) {
    for (const std::vector<double>& speeds : std::vector<std::vector<double>>{
             {1000}, {1000, 1000}, {1000, 1020, 990}, {10, 10, 10, 10}})
        EXPECT_EQ(after(3000, 197, speeds).changes, 0);
}

// One of two threads has two rows and the other one. No better division exists.
TEST(Balance, DoesNotTryWhatWholeRowsForbid) {
    EXPECT_EQ(after(3000, 3, {900, 1000}).changes, 0);
    EXPECT_EQ(after(3000, 1, {1000, 300, 1000}).changes, 0);
}

TEST(Balance, ForgetsSingleSlowRuns) {
    Balance balance(197, 2);
    const Shares even(2);
    for (int i = 0; i < 500; ++i) {
        const bool slow = i % 4 == 0;
        balance.add(seconds(197, even, {slow ? 300.0 : 1000.0, 1000}), even);
        ASSERT_FALSE(balance.better(even));
    }
}

TEST(Balance, FollowsAChangeLater) {
    After a = after(100, 1000, {1000, 500});
    EXPECT_GT(a.shares.parts(0), a.shares.parts(1));
    Balance balance(1000, 2);
    Shares shares = a.shares;
    for (int i = 0; i < 100; ++i) {
        if (const auto better = balance.better(shares)) shares = *better;
        balance.add(seconds(1000, shares, {500, 1000}), shares);
    }
    EXPECT_LT(shares.parts(0), shares.parts(1));
}

// One core is slow for eight runs, then the other for six. The median difference is not zero, but
// with other shares half of the runs would become slower.
TEST(Balance, WaitsUntilMostRunsAgree) {
    Balance balance(197, 2);
    const Shares even(2);
    for (int i = 0; i < 500; ++i) {
        const bool first = i % 14 < 8;
        balance.add(seconds(197, even, {first ? 700.0 : 1000.0, first ? 1000.0 : 700.0}), even);
        ASSERT_FALSE(balance.better(even)) << i;
    }
}

TEST(Balance, LeavesShortRunsAloneForLong) {
    EXPECT_EQ(after(500, 1000, {2e6, 1e6}).changes, 0);  // 1 ms a run
    EXPECT_EQ(after(2000, 1000, {2e6, 1e6}).changes, 1);
}

}  // namespace
}  // namespace vit
