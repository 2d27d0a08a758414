// HTTP with libcurl: one request gives one response. Redirects never send a token to another
// server.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vit::hub {

struct Response {
    long status = 0;
    std::map<std::string, std::string, std::less<>> headers;  ///< names in lower case
    std::string failure;  ///< why the response is incomplete; empty if it is complete

    /// The header's value; empty if there is no such header.
    std::string header(std::string_view name) const;
    /// The header's value as a number of bytes; empty if it is not a number.
    std::optional<std::uint64_t> bytes(std::string_view name) const;
};

struct Request {
    std::string url;
    bool head = false;
    std::string token;       ///< sent only to the origin (scheme, host, port) of `url`
    std::uint64_t from = 0;  ///< requests the bytes from this position on
    /// If not empty: `from` applies only to this version of the file. If the server has another
    /// version, it sends all of it (If-Range).
    std::string version;
    /// Limit for connecting, for a time without progress, and for a whole HEAD request.
    std::chrono::seconds timeout{10};
    /// Receives the body of a 200 or 206 response. Returns false to end the transfer. May throw.
    /// Other bodies are ignored.
    std::function<bool(const Response&, std::span<const std::byte>)> sink;
};

/// Sends requests one after another. Not thread-safe.
class Client {
  public:
    Client();
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// Follows at most ten redirects, only to http and https, and never from https to http. A HEAD
    /// request stays at the origin of its URL: a redirect to another origin is returned as the
    /// response. X-… headers of a redirect are kept unless the next response has the same header.
    Response send(Request request);

  private:
    struct Handle;
    Response send_once(const Request& request);
    std::unique_ptr<Handle> handle_;
};

/// Escapes `text` for use as one segment of a URL's path.
std::string escaped(std::string_view text);

/// The host of a URL, with the port if the URL has one.
std::string host_of(const std::string& url);

}  // namespace vit::hub
