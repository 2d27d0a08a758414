// HTTP over libcurl: one request, one response, and redirects that keep a token where it belongs.
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
    std::string failure;  ///< why no whole response came; empty where it did

    /// A header's value, or "".
    std::string header(std::string_view name) const;
    /// A header's value as a number of bytes.
    std::optional<std::uint64_t> bytes(std::string_view name) const;
};

struct Request {
    std::string url;
    bool head = false;
    std::string token;                 ///< sent to the origin (scheme, host, port) of `url` alone
    std::uint64_t from = 0;            ///< ask for the bytes from here on …
    std::string version;               ///< … if not empty: or all of another version (If-Range)
    std::chrono::seconds timeout{10};  ///< to connect; without progress; of a HEAD, in all
    /// Takes the body of a 200 or 206; returns false to end the transfer. It
    /// may throw. Other bodies are left out.
    std::function<bool(const Response&, std::span<const std::byte>)> sink;
};

/// One connection after another; not for several threads at once.
class Client {
  public:
    Client();
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// Follows redirects, at most ten, to http and https alone and never from https to http. A HEAD
    /// stays with the origin of its URL: a redirect that leaves it is the response. Headers X-… of
    /// a response that redirects are kept where the next one has none of that name.
    Response send(Request request);

  private:
    struct Handle;
    Response send_once(const Request& request);
    std::unique_ptr<Handle> handle_;
};

/// `text` as one segment of a URL's path.
std::string escaped(std::string_view text);

/// The host of a URL, with its port where it names one.
std::string host_of(const std::string& url);

}  // namespace vit::hub
