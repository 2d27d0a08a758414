// Runs vit-convert hf-hub:ORG/NAME as a user does, with a hub on this machine.
#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "engine/model/model_file.h"
#include "tests/cli/convert_fixture.h"
#include "tests/support/fake_hub.h"

namespace vit::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class HubTool : public DownloadTest {
  protected:
    HubTool() {
        server.change([](HubState& state) {
            state.files["config.json"].bytes = read(digits() / "config.json");
            state.files["model.safetensors"] =
                HubFile{read(digits() / "model.safetensors"), true, {}, {}};
        });
    }
    Finished convert(std::vector<std::string> more = {}, const std::string& source = "org/name") {
        return DownloadTest::convert("hf-hub:" + source, std::move(more));
    }
};

TEST_F(HubTool, ConvertsARepository) {
    const Finished done = convert();
    ASSERT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(done.err, "");  // no progress, no note
    EXPECT_THAT(done.out, HasSubstr("10 classes"));
    const Provenance provenance = ModelFile::open(out()).header().provenance;
    EXPECT_EQ(provenance.source, std::string("hf-hub:org/name@") + FakeHub::commit);
    EXPECT_EQ(provenance.sha256,
              "a0a0f8051a8a9864e31afa0bd9d86de77787b52fa6978dcbdf334763821eda90");
    EXPECT_TRUE(fs::exists(path("hf/hub/models--org--name/refs/main")));
    EXPECT_EQ(run({tool(), out(), "--verify"}).status, 0);

    const std::string first = read(out());
    ::setenv("HF_HUB_OFFLINE", "1", 1);
    const Finished offline = convert();
    EXPECT_EQ(offline.status, 0);
    EXPECT_THAT(offline.err, AllOf(StartsWith("vit-convert: note: "), HasSubstr(FakeHub::commit)));
    EXPECT_EQ(read(out()), first);
    const Finished quiet = convert({"--quiet"});
    EXPECT_EQ(quiet.out + quiet.err, "");
    EXPECT_THAT(run({VIT_CONVERT, "hf-hub:org/name", "--inspect"}).out,
                HasSubstr("model.safetensors"));
}

TEST_F(HubTool, EndsWithTheStatusThatIsDue) {
    expect_error(convert({}, "org/other"), 74, "hf-hub:org/other: there is no such repository");
    expect_error(convert({}, "org/name@v9"), 74, "no revision 'v9'");
    expect_error(convert({}, "../name"), 2, "expected hf-hub:ORG/NAME");
    expect_error(convert({}, ""), 2, "expected hf-hub:ORG/NAME");
    server.change([](HubState& state) { state.gated = true; });
    expect_error(convert(), 74, "set HF_TOKEN");
    ::setenv("HF_ENDPOINT", closed_port_url().c_str(), 1);
    expect_error(convert(), 74, "cannot be reached");
    ::setenv("HF_HUB_OFFLINE", "1", 1);
    expect_error(convert(), 74, "HF_HUB_OFFLINE");
    ::setenv("HF_ENDPOINT", "gopher://x", 1);
    expect_error(convert(), 2, "HF_ENDPOINT");
    EXPECT_FALSE(fs::exists(out()));
}

TEST_F(HubTool, LooksAtTheOutputBeforeItDownloads) {
    expect_error(run({VIT_CONVERT, "hf-hub:org/name", "-o", path("no/such/folder/x.vit")}), 74,
                 "no such folder");
    EXPECT_TRUE(server.requests().empty());
}

TEST_F(HubTool, GoesOnAfterAnInterrupt) {
    constexpr std::size_t cut = 1'000'000;
    server.change([](HubState& state) {
        state.cut_at = cut;
        state.cuts = 1;
        state.stall = true;
    });
    const fs::path blob = path(
        "hf/hub/models--org--name/blobs/"
        "a0a0f8051a8a9864e31afa0bd9d86de77787b52fa6978dcbdf334763821eda90");
    const fs::path incomplete = blob.string() + ".incomplete";
    {
        Running running({VIT_CONVERT, "hf-hub:org/name", "-o", out()});
        std::error_code missing;
        for (int i = 0; i < 5000 && !(fs::file_size(incomplete, missing) == cut); ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        running.signal(SIGINT);
        EXPECT_EQ(running.finish().status, 130);
    }
    ASSERT_TRUE(fs::exists(incomplete));
    EXPECT_EQ(fs::file_size(incomplete), cut);
    EXPECT_FALSE(fs::exists(out()));
    EXPECT_EQ(convert().status, 0);
    EXPECT_EQ(server.cdn_requests().back().headers.at("range"), "bytes=1000000-");
    EXPECT_FALSE(fs::exists(incomplete));
    EXPECT_TRUE(fs::exists(blob));
}

}  // namespace
}  // namespace vit::test
