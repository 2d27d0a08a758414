#include "tools/hub/settings.h"

#include <cstdlib>

#include "tests/support/files.h"
#include "tools/hub/repository.h"

namespace vit::hub {
namespace {

using testing::HasSubstr;

TEST(Repository, IsParsed) {
    EXPECT_EQ(parse_repository("hf-hub:timm/vit_tiny.augreg").id, "timm/vit_tiny.augreg");
    EXPECT_EQ(parse_repository("hf-hub:timm/x").revision, "main");
    EXPECT_EQ(parse_repository("hf-hub:gpt2").id, "gpt2");
    EXPECT_EQ(parse_repository("hf-hub:a/b@v1.0").revision, "v1.0");
    EXPECT_EQ(parse_repository("hf-hub:a/b@refs/pr/2").revision, "refs/pr/2");
    EXPECT_EQ(name_of(parse_repository("hf-hub:a/b@main")), "hf-hub:a/b");
    EXPECT_EQ(name_of(parse_repository("hf-hub:a/b@v1")), "hf-hub:a/b@v1");
}

TEST(Repository, IsNoPath) {
    for (const char* name :
         {"",         "a/b/c",    "/a",      "a/",       "../b",   "a/..",       "a--b/c",
          ".a/b",     "a/b.git",  "a/b@",    "a/b@../x", "a/b@/x", "a/b@x/../y", "a/b@.x",
          "a/b@x/.y", "a/b@x//y", "a/b@x@y", "a/b?x",    "a b/c",  "a/b@x%2f",   "a/b\n"})
        EXPECT_THAT(test::message_of([&] { parse_repository(std::string("hf-hub:") + name); },
                                     ErrorKind::usage),
                    HasSubstr("expected hf-hub:ORG/NAME"))
            << name;
}

TEST(Repository, IsToldByItsNameAlone) {
    EXPECT_EQ(repository_of_name("timm/vit_tiny.augreg")->id, "timm/vit_tiny.augreg");
    EXPECT_EQ(repository_of_name("a/b@v1")->revision, "v1");
    for (const char* other : {"a", "a/b/c", "./a", "../a", "/a/b", "a b/c", ""})
        EXPECT_FALSE(repository_of_name(other)) << other;
    test::message_of([] { repository_of_name("a/b@../x"); }, ErrorKind::usage);
}

TEST(Repository, IsToldByItsPage) {
    EXPECT_EQ(repository_of_page("https://huggingface.co/a/b")->id, "a/b");
    EXPECT_EQ(repository_of_page("https://hf.co/a/b/?x#y")->id, "a/b");
    EXPECT_EQ(repository_of_page("https://huggingface.co/a/b/tree/v1.0")->revision, "v1.0");
    for (const char* other :
         {"https://huggingface.co/", "https://huggingface.co/a",
          "https://huggingface.co/a/b/resolve/main/model.safetensors", "https://example.org/a/b"})
        EXPECT_FALSE(repository_of_page(other)) << other;
}

TEST(Names, ArePlain) {
    EXPECT_TRUE(is_plain_name("model-00001-of-00002.safetensors"));
    for (const std::string& name :
         {std::string(), std::string(".."), std::string("."), std::string("a/b"),
          std::string("a\\b"), std::string("a\0b", 3), std::string("a\nb"), std::string(201, 'a')})
        EXPECT_FALSE(is_plain_name(name)) << name;
    EXPECT_TRUE(is_sha256(std::string(64, 'a')));
    EXPECT_FALSE(is_sha256(std::string(64, 'g')));
    EXPECT_FALSE(is_sha256(std::string(63, 'a')));
    EXPECT_FALSE(is_commit(std::string(40, 'A')));
}

/// Unsets all variables that change the settings, except HOME, which becomes an empty folder.
class Environment : public testing::Test {
  protected:
    Environment() {
        for (const char* name :
             {"HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_ENDPOINT", "HF_TOKEN",
              "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "XDG_CACHE_HOME",
              "HF_HUB_ETAG_TIMEOUT", "HF_HUB_DOWNLOAD_TIMEOUT"})
            ::unsetenv(name);
        set("HOME", folder.path().string());
    }
    static void set(const char* name, const std::string& value) {
        ::setenv(name, value.c_str(), 1);
    }
    static std::string refused() {
        return test::message_of([] { settings_from_environment(); }, ErrorKind::usage);
    }

    test::Folder folder;
};

TEST_F(Environment, HasDefaults) {
    const Settings settings = settings_from_environment();
    EXPECT_EQ(settings.endpoint, "https://huggingface.co");
    EXPECT_EQ(settings.cache, folder / ".cache/huggingface/hub");
    EXPECT_EQ(settings.token, "");
    EXPECT_FALSE(settings.offline);
}

TEST_F(Environment, NamesTheCache) {
    set("XDG_CACHE_HOME", "/x");
    EXPECT_EQ(settings_from_environment().cache, "/x/huggingface/hub");
    set("HF_HOME", "~/hf");
    EXPECT_EQ(settings_from_environment().cache, folder / "hf/hub");
    set("HUGGINGFACE_HUB_CACHE", "/older");
    EXPECT_EQ(settings_from_environment().cache, "/older");
    set("HF_HUB_CACHE", "/hub");
    EXPECT_EQ(settings_from_environment().cache, "/hub");
    ::unsetenv("HOME");
    EXPECT_EQ(settings_from_environment().cache, "/hub");
    for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"})
        ::unsetenv(name);
    EXPECT_THAT(refused(), HasSubstr("HF_HUB_CACHE"));
}

TEST_F(Environment, NamesTorchsCache) {
    ::unsetenv("TORCH_HOME");
    EXPECT_EQ(web_settings_from_environment().cache, folder / ".cache/torch/hub/checkpoints");
    set("XDG_CACHE_HOME", "/x");
    EXPECT_EQ(web_settings_from_environment().cache, "/x/torch/hub/checkpoints");
    set("TORCH_HOME", "~/t");
    EXPECT_EQ(web_settings_from_environment().cache, folder / "t/hub/checkpoints");
    set("HF_TOKEN", "hf_secret");
    set("HF_HUB_OFFLINE", "1");
    EXPECT_EQ(web_settings_from_environment().token, "");
    EXPECT_TRUE(web_settings_from_environment().offline);
    for (const char* name : {"HOME", "XDG_CACHE_HOME", "TORCH_HOME"}) ::unsetenv(name);
    EXPECT_THAT(test::message_of([] { web_settings_from_environment(); }, ErrorKind::usage),
                HasSubstr("TORCH_HOME"));
}

TEST_F(Environment, HoldsTheToken) {
    std::filesystem::create_directories(folder / ".cache/huggingface");
    test::write_all(folder / ".cache/huggingface/token", "hf_file\n");
    EXPECT_EQ(settings_from_environment().token, "hf_file");
    test::write_all(folder / "other", "hf_other");
    set("HF_TOKEN_PATH", folder / "other");
    EXPECT_EQ(settings_from_environment().token, "hf_other");
    set("HF_TOKEN", " hf_set ");
    EXPECT_EQ(settings_from_environment().token, "hf_set");
    set("HF_TOKEN", "a\r\nX-Header: b");
    EXPECT_THAT(refused(), HasSubstr("HF_TOKEN"));
}

TEST_F(Environment, SaysHowTheHubIsAsked) {
    set("HF_ENDPOINT", "http://127.0.0.1:8080//");
    EXPECT_EQ(settings_from_environment().endpoint, "http://127.0.0.1:8080");
    set("HF_ENDPOINT", "file:///etc");
    EXPECT_THAT(refused(), HasSubstr("HF_ENDPOINT"));
    ::unsetenv("HF_ENDPOINT");
    for (const char* yes : {"1", "true", "YES", "On"}) {
        set("HF_HUB_OFFLINE", yes);
        EXPECT_TRUE(settings_from_environment().offline) << yes;
    }
    set("HF_HUB_OFFLINE", "0");
    EXPECT_FALSE(settings_from_environment().offline);
    set("HF_HUB_DOWNLOAD_TIMEOUT", "3");
    EXPECT_EQ(settings_from_environment().stall_timeout, std::chrono::seconds(3));
    set("HF_HUB_ETAG_TIMEOUT", "0");
    EXPECT_THAT(refused(), HasSubstr("HF_HUB_ETAG_TIMEOUT"));
}

}  // namespace
}  // namespace vit::hub
