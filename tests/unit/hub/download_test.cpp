// Tests transfers that fail.
#include "tests/unit/hub/fixture.h"

namespace vit::hub {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

using Download = HubTest;

void cut(FakeHub& server, std::size_t at, int times) {
    server.change([&](HubState& state) {
        state.cut_at = at;
        state.cuts = times;
    });
}

TEST_F(Download, GoesOnAfterACut) {
    cut(server, 100'000, 2);
    expect_whole(get());
    EXPECT_THAT(ranges(), ElementsAre("", "bytes=100000-", "bytes=200000-"));
}

TEST_F(Download, GoesOnInTheNextRun) {
    settings.retries = 0;
    cut(server, 100'000, 1);
    EXPECT_THAT(refused(), AllOf(HasSubstr("model.safetensors"), HasSubstr("cut"),
                                 HasSubstr("100000 bytes of 300000")));
    EXPECT_EQ(test::read_all(incomplete()), weights().substr(0, 100'000));
    EXPECT_FALSE(fs::exists(repository() / "snapshots" / FakeHub::commit / "model.safetensors"));
    expect_whole(get());
    EXPECT_THAT(ranges(), ElementsAre("", "bytes=100000-"));
}

TEST_F(Download, GivesUpWhereNothingMovesOn) {
    settings.retries = 3;
    cut(server, 0, 100);
    EXPECT_THAT(refused(), HasSubstr("cut after 0 bytes"));
    EXPECT_EQ(server.cdn_requests().size(), 4u);
}

TEST_F(Download, EndsWhenTheServerStandsStill) {
    settings.retries = 0;
    settings.stall_timeout = std::chrono::seconds(1);
    server.change([](HubState& state) { state.stall = true; });
    cut(server, 1000, 1);
    EXPECT_THAT(refused(), HasSubstr("cut after 1000 bytes"));
}

TEST_F(Download, StartsAgainWhereTheServerKnowsNoRanges) {
    server.change([](HubState& state) { state.ranges = false; });
    cut(server, 100'000, 1);
    expect_whole(get());
    EXPECT_THAT(ranges(), ElementsAre("", "bytes=100000-"));
}

TEST_F(Download, RemovesWhatHasTheWrongChecksum) {
    const std::string sha = std::string(63, '0') + "1";
    server.change([&](HubState& state) { state.files["model.safetensors"].etag = sha; });
    EXPECT_THAT(refused(), AllOf(HasSubstr("wrong checksum: expected SHA-256 " + sha),
                                 HasSubstr("found " + sha_of_weights()), HasSubstr("removed")));
    EXPECT_FALSE(fs::exists(repository() / "blobs" / (sha + ".incomplete")));
    EXPECT_FALSE(fs::exists(repository() / "blobs" / sha));
}

TEST_F(Download, NoticesABeginningThatIsNotTheFiles) {
    fs::create_directories(incomplete().parent_path());
    test::write_all(incomplete(), std::string(1000, 'x'));
    EXPECT_THAT(refused(), HasSubstr("wrong checksum"));
    expect_whole(get());
    // The partial file is longer than the file, so it cannot be its beginning.
    fs::remove_all(repository() / "snapshots");
    fs::remove(repository() / "blobs" / sha_of_weights());
    test::write_all(incomplete(), std::string(300'001, 'x'));
    expect_whole(get());
    EXPECT_THAT(ranges(), ElementsAre("bytes=1000-", "", ""));
}

TEST_F(Download, ReplacesABlobOfTheWrongSize) {
    fs::create_directories(incomplete().parent_path());
    test::write_all(repository() / "blobs" / sha_of_weights(), "half of it");
    expect_whole(get());
}

TEST_F(Download, RemovesWhatHasTheWrongSize) {
    for (const std::uint64_t size : {299'999, 300'001}) {
        server.change([&](HubState& state) {
            state.files["model.safetensors"].linked_size = size;
            state.content_length = true;
        });
        EXPECT_THAT(refused(), AllOf(HasSubstr("expected " + std::to_string(size) + " bytes"),
                                     HasSubstr("300000"), HasSubstr("removed")));
        EXPECT_FALSE(fs::exists(incomplete()));
    }
    // Here the wrong size is noticed only when the bytes arrive.
    settings.retries = 1;
    server.change([&](HubState& state) {
        state.files["model.safetensors"].linked_size = 299'999;
        state.content_length = false;
    });
    EXPECT_THAT(refused(), HasSubstr("the server sends more"));
    EXPECT_FALSE(fs::exists(incomplete()));
    server.change([&](HubState& state) { state.files["model.safetensors"].linked_size = 300'001; });
    refused();
    EXPECT_FALSE(fs::exists(repository() / "blobs" / sha_of_weights()));
}

TEST_F(Download, BoundsTheSizeOfConfigurations) {
    server.change(
        [](HubState& state) { state.files["config.json"].bytes.assign((16 << 20) + 1, ' '); });
    EXPECT_THAT(refused(), HasSubstr("expected at most 16777216 bytes"));
    EXPECT_EQ(count(server.requests(), "GET"), 0u);
}

TEST_F(Download, FollowsRedirectsToTheWebAlone) {
    settings.retries = 0;
    test::write_all(folder / "secret", weights());
    for (const std::string& target : {"file://" + (folder / "secret").string(),
                                      std::string("ftp://127.0.0.1/x"), std::string("//[")}) {
        server.change([&](HubState& state) { state.redirect = target; });
        SCOPED_TRACE(target);
        EXPECT_THAT(refused(), HasSubstr("not allowed"));
    }
    // A redirect to itself, without end.
    server.change(
        [&](HubState& state) { state.redirect = "/org/name/resolve/main/model.safetensors"; });
    EXPECT_THAT(refused(), HasSubstr("more than 10 redirects"));
}

TEST_F(Download, FollowsRedirectsOfTheHubItself) {
    // After a repository is renamed, the hub's first answers redirect to the new name. The token is
    // sent there too.
    settings.token = "hf_secret";
    server.change([](HubState& state) { state.token = "hf_secret"; });
    const test::LoopbackServer other([&](const test::HttpRequest& request) {
        test::HttpReply reply;
        reply.status = 307;
        reply.headers = {{"Location", server.url() + request.path}};
        return reply;
    });
    // Another host gets no token, and a commit that it sends is not trusted.
    settings.endpoint = other.url();
    refused();
    EXPECT_EQ(server.requests().size(), 0u);

    settings.endpoint = server.url() + "/moved";
    EXPECT_THAT(refused(), HasSubstr("no such repository"));
}

TEST_F(Download, NeedsAFolderThatCanBeWritten) {
    test::write_all(folder / "file", "");
    settings.cache = folder / "file";
    const std::string message = test::message_of([&] { get(); }, ErrorKind::io);
    EXPECT_THAT(message, HasSubstr("cannot make this folder"));
}

}  // namespace
}  // namespace vit::hub
