// The fixtures for the tests of vit-convert.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>

#include "tests/cli/fixture.h"
#include "tests/support/fake_hub.h"

namespace vit::test {

class ConvertTest : public InferTest {
  protected:
    static void expect_error(const Finished& done, int status, const std::string& text) {
        EXPECT_EQ(done.status, status) << done.err;
        EXPECT_THAT(done.err, testing::AllOf(testing::StartsWith("vit-convert: error: "),
                                             testing::HasSubstr(text)));
        EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << done.err;
        EXPECT_EQ(done.out, "");
    }
};

/// Uses a server on the loopback interface instead of the hub, and separate empty caches.
class DownloadTest : public ConvertTest {
  protected:
    DownloadTest() {
        for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN",
                                 "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE",
                                 "HF_HUB_ETAG_TIMEOUT", "HF_HUB_DOWNLOAD_TIMEOUT"})
            ::unsetenv(name);
        ::setenv("no_proxy", "127.0.0.1", 1);
        ::setenv("HF_HOME", path("hf").c_str(), 1);
        ::setenv("HF_ENDPOINT", server.url().c_str(), 1);
    }

    std::string out() const { return path("model.vit"); }
    Finished convert(const std::string& source, std::vector<std::string> more = {}) const {
        std::vector<std::string> arguments{VIT_CONVERT, source, "-o", out()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run(arguments);
    }

    FakeHub server;
};

}  // namespace vit::test
