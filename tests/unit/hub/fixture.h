// A hub on this machine and an empty cache.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/fake_hub.h"
#include "tests/support/files.h"
#include "tools/common/sha256.h"
#include "tools/hub/fetch.h"

namespace vit::hub {

using test::FakeHub;
using test::HubFile;
using test::HubState;

class HubTest : public testing::Test {
  protected:
    HubTest() {
        ::setenv("no_proxy", "127.0.0.1", 1);
        settings.endpoint = server.url();
        settings.cache = folder / "hub";
        settings.retry_pause = std::chrono::milliseconds(0);
        server.change([&](HubState& state) {
            state.files["config.json"].bytes = "{\"architecture\": \"x\"}";
            state.files["model.safetensors"] = HubFile{weights(), true, {}, {}};
        });
    }

    /// Random-looking bytes, so that errors in positions are noticed.
    static std::string weights(std::size_t size = 300'000) {
        std::string bytes(size, '\0');
        std::uint32_t x = 1;
        for (char& c : bytes) c = static_cast<char>((x = x * 1664525u + 1013904223u) >> 24);
        return bytes;
    }
    static std::string sha_of_weights() { return tools::sha256(test::as_bytes(weights())); }

    Fetched get(const std::string& name = "hf-hub:org/name") {
        return fetch(parse_repository(name), settings,
                     [&](const std::string& note) { notes.push_back(note); });
    }
    std::string refused(const std::string& name = "hf-hub:org/name",
                        ErrorKind kind = ErrorKind::io) {
        const std::string message = test::message_of([&] { get(name); }, kind);
        EXPECT_EQ(message.find("http://"), std::string::npos) << message;
        EXPECT_TRUE(message.starts_with(name)) << message;
        return message;
    }
    std::filesystem::path repository() const { return settings.cache / "models--org--name"; }
    std::filesystem::path incomplete() const {
        return repository() / "blobs" / (sha_of_weights() + ".incomplete");
    }
    static std::size_t count(const std::vector<test::HttpRequest>& requests,
                             const std::string& method) {
        return static_cast<std::size_t>(
            std::count_if(requests.begin(), requests.end(),
                          [&](const test::HttpRequest& each) { return each.method == method; }));
    }
    /// "bytes=N-" of each request to the CDN; "" if a request had no range.
    std::vector<std::string> ranges() const {
        std::vector<std::string> out;
        for (const test::HttpRequest& each : server.cdn_requests()) {
            const auto range = each.headers.find("range");
            out.push_back(range == each.headers.end() ? "" : range->second);
        }
        return out;
    }
    void expect_whole(const Fetched& fetched) {
        EXPECT_EQ(test::read_all(fetched.weights), weights());
        EXPECT_FALSE(std::filesystem::exists(incomplete()));
    }

    test::Folder folder;
    FakeHub server;
    Settings settings;
    std::vector<std::string> notes;
};

}  // namespace vit::hub
