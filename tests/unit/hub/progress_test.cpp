#include "tools/hub/progress.h"

#include <gmock/gmock.h>
#include <pty.h>
#include <unistd.h>

#include <array>
#include <cstdio>

namespace vit::hub {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// The text that `show` writes to standard error while standard error is one end of `ends`.
template <typename Show>
std::string shown(const std::array<int, 2>& ends, Show&& show) {
    std::fflush(stderr);
    const int before = ::dup(STDERR_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    show();
    std::fputs(".", stderr);  // makes sure that there is something to read
    ::dup2(before, STDERR_FILENO);
    ::close(before);
    std::string text;
    std::array<char, 4096> part;
    // A terminal may return the text in pieces. The last piece ends with the full stop.
    for (ssize_t count;
         !text.ends_with('.') && (count = ::read(ends[0], part.data(), part.size())) > 0;)
        text.append(part.data(), static_cast<std::size_t>(count));
    for (const int each : ends) ::close(each);
    return text;
}

std::array<int, 2> terminal() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr), 0);
    return ends;
}

void show(bool wanted, std::optional<std::uint64_t> total) {
    Progress(wanted, "model.safetensors", 0, total).show(150'000'000);
}

TEST(Progress, ShowsOnATerminal) {
    EXPECT_THAT(shown(terminal(), [] { show(true, 300'000'000); }),
                AllOf(HasSubstr("model.safetensors: 150.0 of 300.0 MB [##########..........] "),
                      HasSubstr("MB/s"), testing::EndsWith("\r\x1b[K.")));
    EXPECT_THAT(shown(terminal(), [] { show(true, {}); }),
                HasSubstr("model.safetensors: 150.0 MB "));
}

TEST(Progress, IsSilentElsewhere) {
    EXPECT_EQ(shown(terminal(), [] { show(false, 300'000'000); }), ".");
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    EXPECT_EQ(shown(pipe, [] { show(true, 300'000'000); }), ".");
}

}  // namespace
}  // namespace vit::hub
