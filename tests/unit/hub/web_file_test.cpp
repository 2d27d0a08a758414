// Tests downloads from any server into torch.hub's cache.
#include "tools/hub/web_file.h"

#include <fmt/format.h>

#include <mutex>

#include "tests/unit/hub/fixture.h"

namespace vit::hub {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(WebAddress, IsTakenApart) {
    const WebFile plain = parse_web_file("https://a.b/c/x.pth?token=secret#top");
    EXPECT_EQ(plain.url, "https://a.b/c/x.pth?token=secret");
    EXPECT_EQ(plain.shown, "https://a.b/c/x.pth");
    EXPECT_EQ(plain.name, "x.pth");
    EXPECT_EQ(plain.checksum, "");
    const WebFile user = parse_web_file("https://me:secret@a.b/c@d/x.pth");
    EXPECT_EQ(user.shown, "https://a.b/c@d/x.pth");
    EXPECT_EQ(user.url, "https://me:secret@a.b/c@d/x.pth");
    EXPECT_TRUE(is_web_address("HTTPS://a.b/c"));
    EXPECT_TRUE(is_web_address("http://a.b/c"));
    for (const char* other : {"https:/a", "httpsx://a", "ftp://a/b", "a/https://b", ""})
        EXPECT_FALSE(is_web_address(other)) << other;
}

TEST(WebAddress, TellsAChecksumAsTorchHubDoes) {
    const auto checksum = [](const std::string& name) {
        return parse_web_file("https://a/" + name).checksum;
    };
    EXPECT_EQ(checksum("jx_vit_base_p16_224-80ecf9dd.pth"), "80ecf9dd");
    EXPECT_EQ(checksum("x-80ecf9dd.pth.tar"), "80ecf9dd");
    EXPECT_EQ(checksum("x-80ecf9dd0123456789"), "80ecf9dd0123456789");
    EXPECT_EQ(checksum("a-b-80ecf9dd.pth"), "80ecf9dd");
    EXPECT_EQ(checksum("x-" + std::string(64, 'a') + ".pth"), std::string(64, 'a'));
    for (const char* name : {"x-80ecf9d.pth", "x-80ECF9DD.pth", "x_80ecf9dd.pth", "80ecf9dd.pth",
                             "x-80ecf9ddx.pth", "x-.pth", "Ti_16-i1k-300ep-lr_0.001.npz"})
        EXPECT_EQ(checksum(name), "") << name;
    EXPECT_EQ(checksum("x-" + std::string(65, 'a') + ".pth"), "");
}

TEST(WebAddress, NamesAFile) {
    for (const char* address :
         {"https://", "https://a", "https://a/", "https://a/b/", "https://a/..", "https://a/.x",
          "https://a/b c", "https://a/x\ny", "https://a/b\\c", "https://a/\xc3\xa4"})
        EXPECT_THAT(test::message_of([&] { parse_web_file(address); }, ErrorKind::usage),
                    HasSubstr("expected "))
            << address;
    EXPECT_EQ(parse_web_file("https://a/b%20c.pth").name, "b%20c.pth");
}

/// A server on this machine with one file.
class WebFileTest : public testing::Test {
  protected:
    WebFileTest() {
        ::setenv("no_proxy", "127.0.0.1", 1);
        settings.cache = folder / "torch/hub/checkpoints";
        settings.retry_pause = std::chrono::milliseconds(0);
        for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * i / 7);
    }

    test::HttpReply answer(const test::HttpRequest& request) {
        const std::lock_guard lock(mutex);
        test::HttpReply reply;
        reply.status = status;
        if (!etag.empty()) reply.headers.emplace_back("ETag", etag);
        if (!type.empty()) reply.headers.emplace_back("Content-Type", type);
        reply.body = bytes;
        const auto range = request.headers.find("range"), only = request.headers.find("if-range");
        if (range != request.headers.end() &&
            (!look_at_if_range || only == request.headers.end() || only->second == etag)) {
            const std::size_t from = std::stoul(range->second.substr(6));
            reply.status = 206;
            reply.headers.emplace_back("Content-Range",
                                       fmt::format("bytes {}-{}/{}", from, bytes.size() - 1,
                                                   said_total.value_or(bytes.size())));
            reply.body = bytes.substr(from);
        }
        if (cuts > 0) {
            --cuts;
            reply.most = 1000;
        }
        return reply;
    }
    WebFile file(const std::string& name = "x.pth") const {
        return parse_web_file(server.url() + "/files/" + name);
    }
    fs::path get(const WebFile& wanted) {
        return fetch_web_file(wanted, settings,
                              [&](const std::string& note) { notes.push_back(note); })
            .place;
    }
    std::string refused(const WebFile& wanted) {
        return test::message_of([&] { get(wanted); }, ErrorKind::io);
    }
    void expect_whole(const fs::path& place) const { EXPECT_TRUE(test::read_all(place) == bytes); }
    std::string checksum() const { return tools::sha256(test::as_bytes(bytes)); }
    std::vector<std::string> cached() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(settings.cache))
            names.push_back(entry.path().filename());
        return names;
    }
    void put(const std::string& name, const std::string& text) const {
        fs::create_directories(settings.cache);
        test::write_all(settings.cache / name, text);
    }

    test::Folder folder;
    Settings settings;
    std::mutex mutex;
    std::string bytes = std::string(3000, '\0');
    std::string etag = "\"one\"", type;
    int status = 200, cuts = 0;
    bool look_at_if_range = true;
    std::optional<std::size_t> said_total;  // in Content-Range
    std::vector<std::string> notes;
    test::LoopbackServer server{[this](const test::HttpRequest& r) { return answer(r); }};
};

TEST_F(WebFileTest, IsDownloadedOnce) {
    const fs::path place = get(file("x.pth?a=b"));
    EXPECT_EQ(place, folder / "torch/hub/checkpoints/x.pth");
    expect_whole(place);
    EXPECT_EQ(server.requests().at(0).path, "/files/x.pth?a=b");
    EXPECT_EQ(server.requests().at(0).headers.count("authorization"), 0u);
    get(file("x.pth?a=b"));
    EXPECT_EQ(server.requests().size(), 1u);
    EXPECT_THAT(notes, IsEmpty());
    EXPECT_THAT(cached(), UnorderedElementsAre("x.pth", ".x.pth.source"));
}

TEST_F(WebFileTest, GoesOnAfterACut) {
    cuts = 2;
    expect_whole(get(file()));
    ASSERT_EQ(server.requests().size(), 3u);
    EXPECT_EQ(server.requests().at(2).headers.at("range"), "bytes=2000-");
    EXPECT_EQ(server.requests().at(2).headers.at("if-range"), "\"one\"");
}

TEST_F(WebFileTest, GoesOnInTheNextRun) {
    settings.retries = 0;
    cuts = 1;
    EXPECT_THAT(refused(file()), AllOf(HasSubstr(server.url() + "/files/x.pth: "),
                                       HasSubstr("cut after 1000 bytes of 3000")));
    EXPECT_THAT(cached(), UnorderedElementsAre("x.pth.incomplete", ".x.pth.source"));
    expect_whole(get(file()));
    EXPECT_EQ(server.requests().back().headers.at("range"), "bytes=1000-");
    EXPECT_THAT(cached(), UnorderedElementsAre("x.pth", ".x.pth.source"));
}

TEST_F(WebFileTest, MixesNoTwoVersions) {
    settings.retries = 0;
    cuts = 1;
    refused(file());
    std::reverse(bytes.begin(), bytes.end());
    etag = "\"two\"";
    expect_whole(get(file()));

    // The first server ignores If-Range; the second sends no version.
    for (const char* next : {"\"three\"", ""}) {
        fs::remove_all(settings.cache);
        settings.retries = 0;
        cuts = 1;
        refused(file());
        etag = next;
        look_at_if_range = false;
        settings.retries = 1;
        expect_whole(get(file()));
    }
    fs::remove_all(settings.cache);
    settings.retries = 0;
    cuts = 1;
    refused(file());
    expect_whole(get(file()));
    EXPECT_EQ(server.requests().back().headers.count("range"), 0u);
}

TEST_F(WebFileTest, BelievesNoPartBeyondTheEnd) {
    settings.retries = 0;
    cuts = 1;
    refused(file());
    said_total = 500;  // but the part begins at 1000
    EXPECT_THAT(refused(file()), HasSubstr("another part than was requested"));
    EXPECT_FALSE(fs::exists(settings.cache / "x.pth"));
}

TEST_F(WebFileTest, MixesNoTwoAddresses) {
    settings.retries = 0;
    cuts = 1;
    refused(file());
    expect_whole(get(parse_web_file(server.url() + "/other/x.pth")));
    EXPECT_EQ(server.requests().back().headers.count("range"), 0u);
    EXPECT_THAT(refused(file()),
                AllOf(HasSubstr("another address, '" + server.url() + "/other/x.pth'"),
                      HasSubstr("remove it")));
}

TEST_F(WebFileTest, IsWhatItsNameSays) {
    const std::string good = "x-" + checksum().substr(0, 8) + ".pth";
    expect_whole(get(file(good)));
    expect_whole(get(file("x-" + checksum() + ".pth")));
    EXPECT_THAT(refused(file("x-00000000.pth")),
                AllOf(HasSubstr("wrong checksum"), HasSubstr("begins with 00000000"),
                      HasSubstr(checksum()), HasSubstr("removed")));
    EXPECT_FALSE(fs::exists(settings.cache / "x-00000000.pth"));
    EXPECT_FALSE(fs::exists(settings.cache / "x-00000000.pth.incomplete"));
    // The checksum of a file in the cache is checked too, although torch does not do that.
    put(good, "something else");
    EXPECT_THAT(refused(file(good)), AllOf(HasSubstr("wrong checksum"), HasSubstr("remove it")));
}

TEST_F(WebFileTest, MayBeTorchs) {
    put("x.pth", "torch");
    EXPECT_EQ(test::read_all(get(file())), "torch");
    EXPECT_THAT(notes, ElementsAre(AllOf(HasSubstr("from the cache"), HasSubstr("x.pth"))));
    EXPECT_THAT(server.requests(), IsEmpty());
}

TEST_F(WebFileTest, SaysWhyThereIsNone) {
    status = 404;
    EXPECT_THAT(refused(file()), HasSubstr("there is no such file (status 404)"));
    status = 403;
    EXPECT_THAT(refused(file()), HasSubstr("status 403"));
    status = 200;
    type = "text/html; charset=utf-8";
    EXPECT_THAT(refused(file()), HasSubstr("a page for people"));
    EXPECT_THAT(cached(), ElementsAre(".x.pth.source"));
    settings.offline = true;
    EXPECT_THAT(refused(file()), HasSubstr("HF_HUB_OFFLINE"));
    settings.offline = false;
    settings.retries = 0;
    EXPECT_THAT(refused(parse_web_file(test::closed_port_url() + "/x.pth?secret")),
                AllOf(HasSubstr("/x.pth: "), HasSubstr("cannot be reached"),
                      testing::Not(HasSubstr("secret"))));
}

}  // namespace
}  // namespace vit::hub
