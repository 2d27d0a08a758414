// What the Hugging Face hub answers about one repository, served from this machine: small files
// itself, large ones by a redirect to another server, as to a CDN.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "tests/support/loopback_server.h"

namespace vit::test {

struct HubFile {
    std::string bytes;
    bool large = false;                        ///< its ETag is a SHA-256, the CDN serves it
    std::optional<std::string> etag;           ///< another than its own
    std::optional<std::uint64_t> linked_size;  ///< another than its own
};

/// How the hub behaves.
struct HubState {
    std::string id = "org/name";
    std::map<std::string, HubFile> files;
    std::map<std::string, std::string> revisions;  ///< to commits; any other is not found
    std::string commit_header;                     ///< not empty: said instead of the commit
    std::string token;                             ///< not empty: asked for
    bool gated = false;
    bool error_codes = true;     ///< X-Error-Code, and X-Repo-Commit where a file is not there
    int status = 0;              ///< not 0: every answer
    bool ranges = true;          ///< honours Range
    bool content_length = true;  ///< of large files
    std::string redirect;        ///< not empty: where GETs of large files are sent
    std::size_t cut_at = std::string::npos;  ///< the CDN's bodies are cut after so many bytes …
    int cuts = 0;                            ///< … so many times
    bool stall = false;                      ///< … or stand still there
};

class FakeHub {
  public:
    static constexpr const char* commit = "0123456789abcdef0123456789abcdef01234567";

    FakeHub();
    std::string url() const { return hub_.url(); }
    std::vector<HttpRequest> requests() const { return hub_.requests(); }
    std::vector<HttpRequest> cdn_requests() const { return cdn_.requests(); }
    void change(const std::function<void(HubState&)>& how);

  private:
    HttpReply answer(const HttpRequest& request);
    HttpReply answer_cdn(const HttpRequest& request);
    HttpReply part_of(const HttpRequest& request, const std::string& bytes) const;

    std::mutex mutex_;
    HubState state_;
    LoopbackServer cdn_;  // before the hub, which redirects to it
    LoopbackServer hub_;
};

}  // namespace vit::test
