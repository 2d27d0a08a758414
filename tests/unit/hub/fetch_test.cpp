#include "tools/hub/fetch.h"

#include <atomic>
#include <thread>

#include "tests/unit/hub/fixture.h"

namespace vit::hub {
namespace {

namespace fs = std::filesystem;
using test::read_all;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Fetch = HubTest;

TEST_F(Fetch, LaysTheCacheOutAsHuggingFaceHubDoes) {
    const Fetched fetched = get();
    EXPECT_EQ(fetched.commit, FakeHub::commit);
    const fs::path snapshot = repository() / "snapshots" / FakeHub::commit;
    EXPECT_EQ(fetched.weights, snapshot / "model.safetensors");
    expect_whole(fetched);
    EXPECT_EQ(read_all(snapshot / "config.json"), "{\"architecture\": \"x\"}");
    EXPECT_EQ(read_all(repository() / "refs/main"), FakeHub::commit);
    EXPECT_EQ(fs::read_symlink(snapshot / "model.safetensors"), "../../blobs/" + sha_of_weights());
    EXPECT_EQ(
        fs::read_symlink(snapshot / "config.json"),
        "../../blobs/" + tools::sha256(test::as_bytes("{\"architecture\": \"x\"}")).substr(0, 40));
    EXPECT_TRUE(
        fs::exists(repository() / ".no_exist" / FakeHub::commit / "preprocessor_config.json"));
    EXPECT_THAT(notes, IsEmpty());
    EXPECT_THAT(ranges(), ElementsAre(""));
}

TEST_F(Fetch, DownloadsNothingTwice) {
    get();
    const std::size_t before = server.requests().size();
    get();
    // The only request asks whether the branch still points to this commit.
    EXPECT_EQ(server.requests().size(), before + 1);
    EXPECT_EQ(server.requests().back().method, "HEAD");
    get(std::string("hf-hub:org/name@") + FakeHub::commit);
    EXPECT_EQ(server.requests().size(), before + 1);

    // For a new commit only the changed files are downloaded.
    const std::string next(40, 'a');
    server.change([&](HubState& state) {
        state.revisions["main"] = next;
        state.files["config.json"].bytes = "{}";
    });
    const std::size_t cdn = server.cdn_requests().size();
    const Fetched fetched = get();
    EXPECT_EQ(fetched.commit, next);
    EXPECT_EQ(read_all(fetched.weights.parent_path() / "config.json"), "{}");
    EXPECT_EQ(server.cdn_requests().size(), cdn);
    EXPECT_EQ(read_all(repository() / "refs/main"), next);
    expect_whole(fetched);
}

TEST_F(Fetch, TakesARevision) {
    const std::string other(40, 'b');
    server.change([&](HubState& state) {
        state.revisions["v1.0"] = other;
        state.revisions["refs%2Fpr%2F1"] = other;
    });
    EXPECT_EQ(get("hf-hub:org/name@v1.0").commit, other);
    EXPECT_EQ(read_all(repository() / "refs/v1.0"), other);
    EXPECT_EQ(get("hf-hub:org/name@refs/pr/1").commit, other);
    EXPECT_EQ(read_all(repository() / "refs/refs/pr/1"), other);
    EXPECT_THAT(refused("hf-hub:org/name@v2"), HasSubstr("no revision 'v2'"));
}

TEST_F(Fetch, PrefersWeightsAsTimmDoes) {
    server.change([](HubState& state) {
        const HubFile file = state.files["model.safetensors"];
        state.files["pytorch_model.bin"] = file;
        state.files["open_clip_model.safetensors"] = file;
        state.files["preprocessor_config.json"].bytes = "{}";
        state.files["open_clip_config.json"].bytes = "{}";
    });
    const Fetched fetched = get();
    EXPECT_EQ(fetched.weights.filename(), "model.safetensors");
    EXPECT_FALSE(fs::exists(fetched.weights.parent_path() / "pytorch_model.bin"));
    EXPECT_TRUE(fs::exists(fetched.weights.parent_path() / "preprocessor_config.json"));
    EXPECT_TRUE(fs::exists(fetched.weights.parent_path() / "open_clip_config.json"));

    for (const char* name : {"model.safetensors", "open_clip_model.safetensors"}) {
        const std::string commit(40, name[0] == 'm' ? 'c' : 'd');
        server.change([&](HubState& state) {
            state.files.erase(name);
            state.revisions["main"] = commit;
        });
        EXPECT_EQ(get().weights.filename(),
                  name[0] == 'm' ? "open_clip_model.safetensors" : "pytorch_model.bin");
    }
    server.change([](HubState& state) {
        state.files.erase("pytorch_model.bin");
        state.revisions["main"] = std::string(40, 'e');
    });
    EXPECT_THAT(refused(), HasSubstr("no weights in it: expected one of model.safetensors"));
}

/// Splits the weights into two files, with an index that gives them these names.
void make_sharded(HubState& state, const std::string& first, const std::string& second,
                  const std::string& index = "model.safetensors.index.json") {
    const std::string bytes = state.files["model.safetensors"].bytes;
    state.files.erase("model.safetensors");
    state.files[index].bytes = R"({"weight_map": {"a": ")" + first + R"(", "b": ")" + second +
                               R"(", "c": ")" + first + "\"}}";
    state.files[first] = HubFile{bytes.substr(0, 1000), true, {}, {}};
    state.files[second] = HubFile{bytes.substr(1000), true, {}, {}};
}

TEST_F(Fetch, FetchesShards) {
    for (const std::string kind : {"model.safetensors", "pytorch_model.bin"}) {
        const std::string suffix = fs::path(kind).extension();
        server.change([&](HubState& state) {
            state.files.clear();
            state.files["model.safetensors"].bytes = weights();
            make_sharded(state, "part-1" + suffix, "part-2" + suffix, kind + ".index.json");
        });
        fs::remove_all(settings.cache);
        const fs::path index = get().weights;
        EXPECT_EQ(index.filename(), kind + ".index.json");
        EXPECT_EQ(read_all(index.parent_path() / ("part-1" + suffix)) +
                      read_all(index.parent_path() / ("part-2" + suffix)),
                  weights());
    }
    server.change([](HubState& state) { state.files.erase("part-2.bin"); });
    fs::remove_all(settings.cache);
    EXPECT_THAT(refused(), HasSubstr("names part-2.bin, which is not there"));
}

TEST_F(Fetch, LetsNoNameLeaveTheCache) {
    for (const char* name :
         {"../../../x.safetensors", "/tmp/x.safetensors", "a/x.safetensors", "..", ".x.safetensors",
          "x.bin", "x\\u0000.safetensors", "%2e%2e%2fx.safetensors", ""}) {
        server.change([&](HubState& state) {
            state = HubState{};
            state.revisions["main"] = FakeHub::commit;
            state.files["model.safetensors"].bytes = weights();
            make_sharded(state, name, "model-2.safetensors");
        });
        fs::remove_all(settings.cache);
        SCOPED_TRACE(name);
        EXPECT_THAT(refused("hf-hub:org/name", ErrorKind::format),
                    HasSubstr("expected names of .safetensors files"));
    }
    EXPECT_THAT(folder.names(), ElementsAre("hub"));
}

TEST_F(Fetch, RefusesAnIndexThatIsNone) {
    for (const char* text : {"", "[]", "{}", "{\"weight_map\": 1}", "{\"weight_map\": {}}",
                             "{\"weight_map\": {\"a\": 1}}"}) {
        server.change([&](HubState& state) {
            state.files.erase("model.safetensors");
            state.files["model.safetensors.index.json"].bytes = text;
        });
        fs::remove_all(settings.cache);
        SCOPED_TRACE(text);
        EXPECT_THAT(refused("hf-hub:org/name", ErrorKind::format),
                    HasSubstr("model.safetensors.index.json"));
    }
}

TEST_F(Fetch, NamesNoFileAsAServerSays) {
    for (const char* etag : {"../../../x", "", ".x", "a/b", "a\x1b[31m"}) {
        server.change([&](HubState& state) { state.files["config.json"].etag = etag; });
        EXPECT_THAT(refused(), HasSubstr("ETag"));
    }
    server.change([&](HubState& state) {
        state.files["config.json"].etag.reset();
        state.commit_header = "../../../../x";
    });
    EXPECT_THAT(refused(), HasSubstr("X-Repo-Commit"));
    EXPECT_FALSE(fs::exists(folder / "x"));
}

TEST_F(Fetch, SendsTheTokenToTheHubAlone) {
    settings.token = "hf_secret";
    server.change([](HubState& state) { state.token = "hf_secret"; });
    expect_whole(get());
    for (const test::HttpRequest& each : server.requests())
        EXPECT_EQ(each.headers.at("authorization"), "Bearer hf_secret");
    ASSERT_FALSE(server.cdn_requests().empty());
    for (const test::HttpRequest& each : server.cdn_requests())
        EXPECT_EQ(each.headers.count("authorization"), 0u);
}

TEST_F(Fetch, SaysWhatAccessNeeds) {
    server.change([](HubState& state) { state.token = "hf_secret"; });
    EXPECT_THAT(refused(), AllOf(HasSubstr("no such repository"), HasSubstr("set HF_TOKEN")));
    server.change([](HubState& state) { state.gated = true; });
    EXPECT_THAT(refused(), AllOf(HasSubstr("conditions"), HasSubstr("set HF_TOKEN")));
    settings.token = "hf_other";
    EXPECT_THAT(refused(), AllOf(HasSubstr("conditions"), HasSubstr("may not read it")));
    server.change([](HubState& state) { state.token.clear(); });
    EXPECT_THAT(refused(), HasSubstr("conditions"));  // 403
    server.change([](HubState& state) { state.error_codes = false; });
    EXPECT_THAT(refused(), HasSubstr("status 403"));
    server.change([](HubState& state) { state.token = "hf_secret"; });
    EXPECT_THAT(refused(), HasSubstr("status 401"));
    EXPECT_THAT(folder.names(), IsEmpty());
}

TEST_F(Fetch, SaysThatThereIsNoSuchRepository) {
    EXPECT_THAT(refused("hf-hub:org/other"), HasSubstr("no such repository"));
    server.change([](HubState& state) { state.error_codes = false; });
    EXPECT_THAT(refused("hf-hub:org/other"), HasSubstr("no such repository"));
    EXPECT_EQ(server.requests().back().method, "HEAD");
    server.change([](HubState& state) { state.status = 418; });
    EXPECT_THAT(refused(), HasSubstr("status 418"));
}

TEST_F(Fetch, UsesTheCacheOffline) {
    settings.offline = true;
    EXPECT_THAT(refused(), AllOf(HasSubstr("HF_HUB_OFFLINE"), HasSubstr("nothing of it")));
    EXPECT_THAT(server.requests(), IsEmpty());
    settings.offline = false;
    get();
    const std::size_t before = server.requests().size();
    settings.offline = true;
    expect_whole(get());
    EXPECT_EQ(server.requests().size(), before);
    EXPECT_THAT(notes, ElementsAre(AllOf(HasSubstr("HF_HUB_OFFLINE"), HasSubstr(FakeHub::commit))));
    fs::remove(repository() / "blobs" / sha_of_weights());
    EXPECT_THAT(refused(), HasSubstr("does not have all of it"));
    EXPECT_THAT(refused(std::string("hf-hub:org/name@") + std::string(40, 'f')),
                HasSubstr("does not have all of it"));
}

TEST_F(Fetch, UsesTheCacheWhereTheHubCannotBeReached) {
    get();
    server.change([](HubState& state) { state.status = 503; });
    expect_whole(get());
    EXPECT_THAT(notes, ElementsAre(AllOf(HasSubstr("503"), HasSubstr("from the cache"))));
    notes.clear();
    settings.endpoint = test::closed_port_url();
    expect_whole(get());
    EXPECT_THAT(notes, ElementsAre(HasSubstr("cannot be reached")));
    fs::remove_all(settings.cache);
    EXPECT_THAT(refused(), AllOf(HasSubstr("cannot be reached"), HasSubstr("nothing of it")));
}

TEST_F(Fetch, MixesNoCacheInWhenTheHubGoesAway) {
    get();
    fs::remove_all(repository() / "snapshots");
    fs::remove_all(repository() / ".no_exist");
    // The server answers for config.json, and afterwards only with errors.
    std::atomic<int> left = 2;
    const test::LoopbackServer going([&](const test::HttpRequest& request) {
        test::HttpReply reply;
        if (--left < 0) reply.status = 502;
        reply.headers = {{"ETag", "\"abc\""}, {"X-Repo-Commit", FakeHub::commit}};
        reply.body = request.method == "HEAD" || left >= 0 ? "{}" : "";
        return reply;
    });
    settings.endpoint = going.url();
    EXPECT_THAT(refused(), AllOf(HasSubstr("preprocessor_config.json"), HasSubstr("502")));
}

TEST_F(Fetch, RunsTwiceAtOnce) {
    server.change([](HubState& state) { state.content_length = false; });
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            const Fetched fetched =
                fetch(parse_repository("hf-hub:org/name"), settings, [](const std::string&) {});
            EXPECT_EQ(read_all(fetched.weights), weights());
        });
    for (std::thread& each : threads) each.join();
    EXPECT_EQ(server.cdn_requests().size(), 1u);
}

}  // namespace
}  // namespace vit::hub
