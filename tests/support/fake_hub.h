// A server on this machine that answers like the Hugging Face hub about one repository. It serves
// small files itself. For large files it redirects to another server, which plays the role of a
// CDN.
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
    bool large = false;                        ///< its ETag is a SHA-256, and the CDN serves it
    std::optional<std::string> etag;           ///< replaces its own ETag
    std::optional<std::uint64_t> linked_size;  ///< replaces its own size
};

/// The behaviour of the hub.
struct HubState {
    std::string id = "org/name";
    std::map<std::string, HubFile> files;
    std::map<std::string, std::string> revisions;  ///< to commits; others are not found
    std::string commit_header;                     ///< not empty: sent instead of the commit
    std::string token;                             ///< not empty: required
    bool gated = false;
    bool error_codes = true;     ///< sends X-Error-Code, and X-Repo-Commit for a missing file
    int status = 0;              ///< not 0: the status of every answer
    bool ranges = true;          ///< supports Range
    bool content_length = true;  ///< sent for large files
    std::string redirect;        ///< not empty: GETs of large files are redirected to it
    std::size_t cut_at = std::string::npos;  ///< the CDN cuts its bodies after this many bytes …
    int cuts = 0;                            ///< … this many times
    bool stall = false;                      ///< … or stops sending there
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
    LoopbackServer cdn_;  // must exist before the hub, which redirects to it
    LoopbackServer hub_;
};

}  // namespace vit::test
